"""The secret source of k6 through which VUs ask the gate, beside those of the user's own.

k6 itself fetches secrets from a URL: that leaves no trace in the metrics. Source of the settings:
grafana.com/docs/k6/latest/using-k6/secret-source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from collectors.k6.arguments import read_options, values_of
from collectors.k6.binary import K6Binary

SECRET_SOURCE: Final = "flashpoint"
SECRET_VARIABLE_SINCE: Final = (1, 7, 0)
"""The first k6 that takes a secret source from its environment."""


def secret_config(port: int, token: str) -> bytes:
    """Return the configuration file of our source, JSON.

    Its defaults would let a VU wait for minutes: three tries a second apart, 300 requests a minute.
    """
    return msgspec.json.encode(
        {
            "urlTemplate": f"http://127.0.0.1:{port}/{{key}}",
            "headers": {"Authorization": f"Bearer {token}"},
            "timeout": "2s",
            "maxRetries": 0,
            "requestsPerMinuteLimit": 60_000_000,
            "requestsBurst": 1_000_000,
        }
    )


def secret_arguments(
    arguments: Sequence[str], env: Mapping[str, str], binary: K6Binary, config: Path
) -> list[str]:
    """Return options that add our secret source and leave the user's own as they were.

    Theirs is the default one as long as it is the only one, so it has to be marked once ours is
    there. An option on the command line hides the variable, so that is repeated too.
    """
    own = values_of(read_options(arguments), "secret-source")
    words = ["--secret-source", f"url=name={SECRET_SOURCE},config={config}"]
    if not own and binary.version_info >= SECRET_VARIABLE_SINCE:
        own = [each for each in [env.get("K6_SECRET_SOURCE", "")] if each]
    if len(own) == 1:
        kind, equals, rest = own[0].partition("=")
        if "default" not in rest.split(","):
            own = [f"{kind}={rest},default" if equals else f"{kind}=default"]
    for each in own:
        words += ["--secret-source", each]
    return words
