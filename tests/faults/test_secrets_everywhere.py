"""Thirty secrets in everything that goes in; none in anything that comes out.

k6's own process holds what the user gave it, and the tokens of its own run; nobody else does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import pytest

from collectors.logfile import log_path
from collectors.recording.reader import Recording
from tests.faults.conftest import Report
from tests.faults.held_terminal import HeldTerminal
from tests.integration.program import flashpoint, free_port
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]

FORMATS: Final = ("html", "md", "csv", "json", "openmetrics", "folded", "speedscope", "svg")
WHERE: Final = (
    *("e1", "e2", "e3", "query", "query_encoded", "fragment", "bare", "user", "password"),
    *("user_encoded", "password_encoded", "bearer", "basic", "cookie", "api_key", "digest"),
    *("log_env", "log_query", "log_user", "error_query", "setup", "k6_cloud", "k6_own"),
    *("k6_rw_header", "argument", "server_env", "server_query", "server_bearer", "build"),
    "own_env",
)
CANARIES: Final = {where: f"canary~{where}~7Q2w" for where in WHERE}
"""With a character that is written as it is in a URL, and one that need not be."""
C: Final = CANARIES

SERVER: Final = f"""
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *_):
        print('GET http://u:{C["log_user"]}@h/x?key={C["server_query"]} '
              'Authorization: Bearer {C["server_bearer"]}', flush=True)
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
"""
SCRIPT: Final = f"""
import http from 'k6/http';
import encoding from 'k6/encoding';
import {{ sleep }} from 'k6';
const at = (path) => `${{__ENV.TARGET}}${{path}}`;
const as = (user) => __ENV.TARGET.replace('//', `//${{user}}@`);
export function setup() {{ return {{ key: '{C["setup"]}' }}; }}
export default function () {{
  http.get(at('/a?session={C["query"]}&b={quote(C["query_encoded"], safe="")}#k={C["fragment"]}'));
  http.get(at('/a?{C["bare"]}'));
  http.get(as('{C["user"]}:{C["password"]}') + '/b');
  http.get(as('{quote(C["user_encoded"])}%40:{quote(C["password_encoded"])}%21') + '/b', {{
    headers: {{ Cookie: 'id={C["cookie"]}', 'X-Api-Key': '{C["api_key"]}' }} }});
  console.log('Authorization: Bearer {C["bearer"]}');
  console.warn('{{"authorization": "Basic {C["basic"]}"}} Cookie: id={C["cookie"]}');
  console.error('x-api-key: {C["api_key"]} Authorization: Digest {C["digest"]}');
  console.log(`it is ${{__ENV.E1}}, ${{__ENV.E2}} and ${{__ENV.E3}}`);
  console.log('/path?k={C["log_query"]} http://h/?k={C["log_env"]}');
  http.get('http://127.0.0.1:1/?k={C["error_query"]}');
  sleep(0.2);
}}
"""


def found_in(text: str | bytes) -> list[str]:
    """Return which canaries are in a text, as they are or as a URL has them."""
    data = text.encode() if isinstance(text, str) else text
    forms = {
        where: {
            canary.encode(),
            quote(canary, safe="").encode(),
            canary.replace("~", "%7E").encode(),
        }
        for where, canary in CANARIES.items()
    }
    return [where for where, texts in forms.items() if any(each in data for each in texts)]


def environ_of(process: psutil.Process) -> str:
    """Return the environment and command line of a process; nothing for one that is gone."""
    with contextlib.suppress(psutil.Error):
        return repr(process.environ()) + repr(process.cmdline())
    return ""


def tokens_of(k6: psutil.Process) -> list[str]:
    """Return the tokens of ours that k6 holds: of the receiver, and of the gate."""
    tokens = [k6.environ()["K6_PROMETHEUS_RW_BEARER_TOKEN"]]
    wrapper = next(Path(word) for word in k6.cmdline() if word.endswith("wrapper.js"))
    for file in wrapper.parent.iterdir():
        if file.suffix in (".js", ".json"):
            tokens += re.findall(r"[\"':/@ ]([A-Za-z0-9_-]{32})[\"'@]", file.read_text())
    return tokens


def k6_below(program: psutil.Process) -> psutil.Process | None:
    """Return the k6 that runs a script now, not one that is only asked something."""
    for each in program.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if each.name() == "k6" and "run" in each.cmdline():
                return each
    return None


def leaks(process: psutil.Process) -> dict[str, str]:
    """Return what the processes below the program hold that they should not."""
    family = [process, *process.children(recursive=True)]
    k6 = k6_below(process)
    assert k6 is not None
    tokens = tokens_of(k6)
    assert len(tokens) >= 2, "the receiver's and the gate's"
    bad = {}
    for each in family:
        name = f"{each.name()} {each.pid}"
        held = environ_of(each)
        if each.pid != k6.pid and any(token in held for token in tokens):
            bad[f"token in {name}"] = ""
        if any(token in repr(each.cmdline()) for token in tokens):
            bad[f"token in the command line of {name}"] = ""
        if each.name() == "perf" and found_in(held):
            bad[f"canaries in {name}"] = ",".join(found_in(held))
        core = re.search(r"Max core file size +(\S+)", Path(f"/proc/{each.pid}/limits").read_text())
        is_users = each.pid != process.pid and "server.py" in repr(each.cmdline())
        if not is_users and core is not None and core[1] != "0":
            bad[f"core dump of {name}"] = core[1]
    return bad


async def test_no_secret_comes_out_anywhere(tmp_path: Path, report: Report) -> None:
    """Screen, window title, recording, exports, summary, log file, and other processes."""
    (tmp_path / "s.js").write_text(SCRIPT)
    (tmp_path / "server.py").write_text(SERVER)
    port, recording = free_port(), tmp_path / "r.flashpoint"
    state = tmp_path / "state" / "runs"
    env = {
        "K6_CLOUD_TOKEN": C["k6_cloud"],
        "K6_OWN_THING": C["k6_own"],
        "K6_PROMETHEUS_RW_HEADERS_X": C["k6_rw_header"],
        "SERVER_SECRET": C["server_env"],
        "FLASHPOINT_SECRET": C["own_env"],
        "FLASHPOINT_STATE_DIR": str(state),
    }
    terminal = await HeldTerminal.start(
        [
            *("run", str(tmp_path / "s.js"), "--vus", "2", "--port", str(port)),
            *("--record", str(recording), "--summary", str(tmp_path / "s.json")),
            *("--build", f"true --token {C['build']}"),
            *(f"--k6-arg=-e{name.upper()}={C[name]}" for name in ("e1", "e2", "e3")),
            f"--k6-arg=-eTARGET=http://127.0.0.1:{port}",
            *("--", sys.executable, str(tmp_path / "server.py"), str(port), C["argument"]),
        ],
        columns=200,
        rows=60,
        env=env,
    )
    try:
        await terminal.shows("● running")
        terminal.press(b"4")
        await terminal.shows("it is …")
        await terminal.shows("Bearer …")
        program = psutil.Process(terminal.process.pid)
        first = k6_below(program)
        bad = leaks(program)
        terminal.press(b"\x1b[15~")  # F5: build and start again
        await eventually(lambda: k6_below(program) not in (None, first), 15)
        await terminal.shows("running", since=len(terminal.seen))
        since = len(terminal.seen)
        terminal.press(b"x")
        await terminal.shows("stopped", since=since)
        terminal.press(b"q")
        async with asyncio.timeout(10):
            await terminal.process.wait()
        await eventually(lambda: not terminal.left_behind(), 2)
    finally:
        await terminal.close()
    texts: dict[str, str | bytes] = {
        "terminal": bytes(terminal.seen),
        "window title": b" ".join(re.findall(rb"\x1b\][^\x07\x1b]*", terminal.seen)),
        "recording": recording.read_bytes(),
        "summary": (tmp_path / "s.json").read_bytes(),
        "unpacked recording": unpacked(recording),
    }
    log = log_path({**os.environ, **env})
    texts["log file"] = log.read_bytes() if log.exists() else b""
    for name in FORMATS:
        exported = await flashpoint("export", str(recording), "--format", name, "-o", "-")
        texts[name] = exported.stdout + exported.stderr
    hits = {where: found for where, text in texts.items() if (found := found_in(text))}
    assert "session=…" in str(texts["unpacked recording"]), "the query was seen at all"
    wrong = {**hits, **bad}
    report(
        f"{len(CANARIES)} secrets, looked for in {len(texts)} places and the processes",
        tries=len(texts) + 1,
        passed=len(texts) + 1 - len(hits) - bool(bad),
        figure=f"{sum(map(len, hits.values()))} hits {json.dumps(wrong) if wrong else ''}",
        target="0 hits",
    )


def unpacked(recording: Path) -> str:
    """Return everything that a recording holds as text."""
    opened = Recording(recording)
    samples = [each.sample for chunk in opened.chunks() for each in chunk.arrivals]
    opened.close()
    return f"{opened.header} {opened.card} {samples}"
