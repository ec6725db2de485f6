"""Secrets never reach a recording or an export, unless that was asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collectors.recording.reader import Recording
from tests.integration.program import Finished, flashpoint, free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CANARIES = {
    "query": "canary-query-7Q2w",
    "password": "canary-password-9Zk4",
    "token": "canary-token-3Rt8",
    "env": "canary-env-5Yp1",
    "log": "canary-log-6Ub0",
    "argument": "canary-argument-2Lm7",
}
SERVER = f"""
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *_):
        print('GET http://u:{CANARIES["log"]}@h/x?key={CANARIES["log"]} '
              'Authorization: Bearer {CANARIES["token"]}', flush=True)
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
"""
SCRIPT = f"""
import http from 'k6/http';
import {{ sleep }} from 'k6';
export default function () {{
  http.get(`${{__ENV.TARGET}}/a?session={CANARIES["query"]}`);
  http.get(`${{__ENV.TARGET.replace('//', '//u:{CANARIES["password"]}@')}}/b`,
           {{ headers: {{ Authorization: 'Bearer {CANARIES["token"]}' }} }});
  console.log(`it is ${{__ENV.SECRET}} at http://h/?k={CANARIES["query"]}`);
  sleep(0.1);
}}
"""
FORMATS = ("html", "md", "csv", "json", "openmetrics", "folded", "speedscope", "svg")


async def _run(folder: Path, *arguments: str) -> tuple[Finished, Path]:
    (folder / "s.js").write_text(SCRIPT)
    (folder / "server.py").write_text(SERVER)
    port, recording = free_port(), folder / "r.flashpoint"
    finished = await flashpoint(
        *("run", str(folder / "s.js"), "--headless", "--vus", "2", "--duration", "4s"),
        *("--record", str(recording), "--port", str(port), "--no-profile"),
        *(f"--k6-arg=-eSECRET={CANARIES['env']}", f"--k6-arg=-eTARGET=http://127.0.0.1:{port}"),
        *arguments,
        *("--", sys.executable, str(folder / "server.py"), str(port), CANARIES["argument"]),
        deadline_s=100,
    )
    assert finished.returncode == 0, finished.stderr
    return finished, recording


def _texts(recording: Path) -> str:
    opened = Recording(recording)
    samples = [each.sample for chunk in opened.chunks() for each in chunk.arrivals]
    opened.close()
    return f"{opened.header} {opened.card} {samples}"


async def test_no_secret_is_kept_or_exported(tmp_path: Path) -> None:
    """Not in the file, not in what it holds unpacked, not in any export of it."""
    finished, recording = await _run(tmp_path)
    texts = {"recording": _texts(recording), "terminal": finished.stdout + finished.stderr}
    assert "session=…" in texts["recording"]
    assert "Bearer …" in texts["recording"]
    for name in FORMATS:
        exported = await flashpoint("export", str(recording), "--format", name, "-o", "-")
        if name not in ("folded", "speedscope", "svg"):
            assert exported.returncode == 0, exported.stderr
        texts[name] = exported.stdout + exported.stderr
    found = [
        (what, where)
        for where, text in texts.items()
        for what, canary in CANARIES.items()
        if canary in text
    ]
    assert found == []
    raw = recording.read_bytes()
    assert [what for what, canary in CANARIES.items() if canary.encode() in raw] == []


async def test_what_is_kept_on_demand_is_said(tmp_path: Path) -> None:
    """Live, recording and exports hold the same text, and a line tells so."""
    finished, recording = await _run(tmp_path, "--no-redact")
    assert "--no-redact" in finished.stderr
    texts = _texts(recording)
    assert CANARIES["query"] in texts
    assert CANARIES["log"] in texts
    opened = Recording(recording)
    assert opened.header.keeps_secrets
    opened.close()
