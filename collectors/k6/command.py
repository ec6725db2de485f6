"""Builds the command line and the environment of one `k6 run` that streams to us.

The user's own options stay as written. What ours would silently drop is repeated (`K6_OUT`) or
refused with the reason (a remote-write output of their own).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.k6.arguments import K6Option, read_options, values_of
from collectors.k6.binary import K6Binary
from collectors.k6.config_file import read_config
from collectors.source import SourceError
from collectors.text import sanitise

OUTPUT: Final = "experimental-prometheus-rw"
NATIVE_HISTOGRAMS_FEATURE: Final = "native-histograms"
FEATURES_SINCE: Final = (2, 1, 0)
ENV_PREFIX: Final = "K6_PROMETHEUS_RW_"


@dataclass(frozen=True, slots=True)
class Stream:
    """Where and how k6 sends its metrics."""

    url: str
    token: str
    push_interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class K6Command:
    """What to execute."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    summary_path: str
    """Where k6 writes its summary: ours, or where the user wants it."""
    secrets: frozenset[str]
    """Values that must not be shown: those given with `-e`, and the token."""


def build_command(
    binary: K6Binary,
    script: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    stream: Stream,
    summary_path: str,
) -> K6Command:
    """Build a run of a script as the user wrote it.

    Args:
        binary: The k6 to run.
        script: Path of a script or an archive.
        arguments: The user's own options for k6.
        env: The user's environment.
        stream: Where k6 sends its metrics.
        summary_path: Where the summary goes, unless `arguments` name a place.

    Raises:
        SourceError: the script can't be used, or an option would take the stream from us.
    """
    _check_script(script)
    options = read_options(arguments)
    outputs = _outputs(options, env)
    _refuse_own_remote_write(outputs, env)
    argv = [binary.path, "run", "--no-usage-report", "--quiet"]
    if not any(option.name == "address" for option in options):
        argv += ["--address", ""]
    argv += ["--out", OUTPUT]
    if not values_of(options, "out"):
        for output in outputs:
            argv += ["--out", output]
    theirs = values_of(options, "summary-export") or [env.get("K6_SUMMARY_EXPORT", "")]
    if not theirs[-1]:
        argv += ["--summary-export", summary_path]
    child_env = {name: value for name, value in env.items() if not name.startswith(ENV_PREFIX)}
    child_env |= {
        f"{ENV_PREFIX}SERVER_URL": stream.url,
        f"{ENV_PREFIX}BEARER_TOKEN": stream.token,
        f"{ENV_PREFIX}PUSH_INTERVAL": f"{round(stream.push_interval_s * 1000)}ms",
        f"{ENV_PREFIX}STALE_MARKERS": "false",
    }
    if binary.version_info >= FEATURES_SINCE:
        features = _features(options, env)
        argv += ["--features", ",".join(features)]
        options = [option for option in options if option.name != "features"]
    else:
        child_env[f"{ENV_PREFIX}TREND_AS_NATIVE_HISTOGRAM"] = "true"
    argv += [word for option in options for word in option.words]
    secrets = {value.partition("=")[2] for value in values_of(options, "env")}
    return K6Command(
        (*argv, script),
        child_env,
        theirs[-1] or summary_path,
        frozenset(secrets | {stream.token}),
    )


def _check_script(script: str) -> None:
    if script == "-":
        raise SourceError(
            "a script from standard input can't be used", "save it to a file and name that"
        )
    path = Path(script)
    shown = sanitise(script, 200)
    if path.is_dir():
        raise SourceError(f"{shown} is a folder", "name a k6 script, or an archive of k6 archive")
    if not path.is_file():
        raise SourceError(f"{shown} does not exist", f"scripts are looked for in {Path.cwd()}")


def _outputs(options: Sequence[K6Option], env: Mapping[str, str]) -> list[str]:
    """Return the user's own outputs: of the options, else the environment, else the config file."""
    given = values_of(options, "out")
    if given:
        return given
    named = [output for output in env.get("K6_OUT", "").split(",") if output]
    return named or _configured_outputs(options, env)


def _configured_outputs(options: Sequence[K6Option], env: Mapping[str, str]) -> list[str]:
    outputs = read_config(options, env).get("out")
    return [output for output in outputs or [] if isinstance(output, str)]


def _refuse_own_remote_write(outputs: Sequence[str], env: Mapping[str, str]) -> None:
    own = next((output for output in outputs if output.partition("=")[0] == OUTPUT), None)
    if own is not None:
        reason = f"the output {OUTPUT} is already used by your options, K6_OUT or config file"
    elif env.get(f"{ENV_PREFIX}SERVER_URL"):
        reason = f"{ENV_PREFIX}SERVER_URL is set, and k6 has only one remote-write output"
    else:
        return
    raise SourceError(
        f"{reason}; its series would come here, as native histograms, and not to your server",
        "leave it out, or use another output beside ours, such as opentelemetry",
    )


def _features(options: Sequence[K6Option], env: Mapping[str, str]) -> list[str]:
    given = values_of(options, "features") or [env.get("K6_FEATURES", "")]
    names = [name.strip() for value in given for name in value.split(",") if name.strip()]
    return list(dict.fromkeys([*names, NATIVE_HISTOGRAMS_FEATURE]))
