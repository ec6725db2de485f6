"""Reads k6's own configuration file, as far as we have to know what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from collectors.k6.arguments import K6Option, values_of

MAX_CONFIG_BYTES: Final = 1 << 20


def read_config(options: Sequence[K6Option], env: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what k6's configuration file holds, nothing if it can't be read.

    k6 itself tells what is wrong with it. The file is that of `--config`, of `K6_CONFIG`, or the
    default one.
    """
    # Go's os.UserConfigDir: a relative folder does not count.
    named = Path(env.get("XDG_CONFIG_HOME", ""))
    folder = named if named.is_absolute() else Path(env.get("HOME", "/"), ".config")
    default = folder / "k6" / "config.json"
    paths = values_of(options, "config") or [env.get("K6_CONFIG") or str(default)]
    try:
        with Path(paths[-1]).open("rb") as file:
            document = msgspec.json.decode(file.read(MAX_CONFIG_BYTES))
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
