"""Make docs/terminal.svg: what a terminal shows while two administrators run a year. Needs a running demonstration.

`make picture` takes this year of the model, as the scheduler has drafted it: it appropriates, previews, approves, runs
and explains it for real, and draws what the commands wrote. Run it on a demonstration that you do not mind to change.
"""

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from ila import clock, settings
from ila.cli.welcome import DEMO_TOKENS

WIDTH = 112
TARGET = Path(__file__).with_name("terminal.svg")
THEME = TerminalTheme(
    (11, 26, 51), (228, 237, 253),
    [(20, 33, 61), (255, 120, 120), (127, 224, 200), (255, 211, 63), (95, 134, 201), (200, 150, 240), (120, 200, 240),
     (228, 237, 253)],
)  # fmt: skip


def main() -> None:
    """Act, record, draw."""
    tokens = json.loads((settings.load(os.environ).data_directory / DEMO_TOKENS).read_text(encoding="utf-8"))["tokens"]
    maker, checker = (each["token"] for each in tokens if each["role"] == "administrator")
    reference = next(each["reference"] for each in tokens if each["role"] == "citizen")
    period = str(clock.today("Europe/Brussels").year)
    listed = json.loads(quiet(maker, "allocations", "list"))
    run = next(str(each["run"]) for each in listed if (each["scheme"], each["period"]) == ("eu_model", period))
    quiet(
        maker,
        "ledger",
        "appropriate",
        "--fund",
        "eu_model/national",
        "--amount",
        "25000000.00",
        "--reference",
        f"Budget {period}",
    )
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    shown(console, maker, "allocations", "preview", run)
    plan = json.loads(quiet(maker, "allocations", "show", run))["plan_digest"]
    shown(console, maker, "allocations", "approve", run, "--plan", plan)
    shown(console, checker, "allocations", "approve", run, "--plan", plan)
    shown(console, maker, "allocations", "run", run)
    shown(console, maker, "allocations", "explain", "--citizen", reference, "--run", run)
    svg = console.export_svg(title="A yearly run", theme=THEME)
    TARGET.write_text(without_web_fonts(svg), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")


def without_web_fonts(svg: str) -> str:
    """Take out the fonts that the drawing would fetch from elsewhere; the reader's own monospace font does."""
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace")


def quiet(token: str, *arguments: str) -> str:
    """Run a verb for its JSON."""
    command = [sys.executable, "-m", "ila", *arguments, "--json"]
    return subprocess.run(
        command, env={**os.environ, "ILA_TOKEN": token}, check=True, capture_output=True, text=True
    ).stdout


def shown(console: Console, token: str, *arguments: str) -> None:
    """Run a verb on a terminal of its own and record what it leaves on the screen."""
    words = [f"{word[:16]}…" if len(word) > 40 else word for word in arguments]
    console.print(Text("$ ", style="bold #7fe0c8") + Text(f"ila {' '.join(words)}", style="bold"))
    reader, writer = pty.openpty()
    environment = {**os.environ, "ILA_TOKEN": token, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    process = subprocess.Popen([sys.executable, "-m", "ila", *arguments], env=environment, stdout=writer, stderr=writer)
    os.close(writer)
    written = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # the other end is closed: the verb has ended
            break
        if not chunk:
            break
        written += chunk
    process.wait()
    for line in written.decode().replace("\r\n", "\n").split("\n"):
        left_on_screen = line.split("\r")[-1].split("\x1b[2K")[-1]
        console.print(Text.from_ansi(left_on_screen))


if __name__ == "__main__":
    main()
