"""Starts real servers on the projects of fixtures/projects, and tells what each of them says.

Run as a script it writes reports/deployment.md, and the table of fixtures/projects/README.md. Every
server is started as people start it, listens on the loopback interface alone, and is asked for one
page.
"""

from __future__ import annotations

import http
import http.client
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.catalogue import CATALOGUE, Level
from pytest_wsgi.rules import load_rules
from real.conftest import make_environ
from real.projects import PROJECTS, Case, Project

if TYPE_CHECKING:
    from collections.abc import Iterator

load_rules()

ROOT = Path(__file__).parents[2]
HOME = ROOT / "fixtures" / "projects"
FILE = ROOT / "reports" / "deployment.md"
README = HOME / "README.md"

COMMAND = "PYTHONPATH=tests:fixtures python -m real.deployment"

PAUSE = 0.05
"""Seconds between two questions to a server that does not answer yet."""

PATIENCE = 20.0
"""Seconds for a server to answer or to exit."""

GRACE = 3.0
"""Seconds for a server to exit: after it has hung up, and after SIGTERM."""

SHOWN = 50
"""How many characters of a page are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server: the distributions that it may come in, and the words that start it.

    The words are filled in with the directory, the address to listen on and what to serve; `shown`
    is what a user types.
    """

    name: str
    distributions: tuple[str, ...]
    words: tuple[str, ...]
    shown: str

    @property
    def version(self) -> str:
        """Return the distribution that is installed here with its version, empty without any."""
        for name in self.distributions:
            with suppress(PackageNotFoundError):
                return f"{name} {version(name)}"
        return ""

    def make_command(self, base: Path, address: str, target: str) -> list[str]:
        """Return the command that starts it; what a user finds on PATH lies beside Python."""
        words = [word.format(base=base, address=address, target=target) for word in self.words]
        if self.name == "waitress" and target.endswith("()"):
            words[-1:] = ["--call", target.removesuffix("()")]
        return [str(Path(sys.executable).with_name(words[0])), *words[1:]]


RUNSERVER = Server(
    name="runserver",
    distributions=("Django",),
    words=("python", "{base}/manage.py", "runserver", "--noreload", "{address}"),
    shown="python manage.py runserver --noreload",
)

SERVERS = (
    RUNSERVER,
    Server(
        name="Gunicorn",
        distributions=("gunicorn",),
        words=("gunicorn", "--bind={address}", "{target}"),
        shown="gunicorn mysite.wsgi:application",
    ),
    Server(
        name="waitress",
        distributions=("waitress",),
        words=("waitress-serve", "--listen={address}", "{target}"),
        shown="waitress-serve mysite.wsgi:application",
    ),
    Server(
        name="uWSGI",
        distributions=("uWSGI", "pyuwsgi"),
        words=("uwsgi", "--http-socket={address}", "--module={target}", "--die-on-term"),
        shown="uwsgi --http-socket :8000 --module mysite.wsgi:application --die-on-term",
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a server on a project: `head` in a word or two, and what it said.

    The head is a status code, `no response` to a request that was accepted, or how it exited.
    """

    head: str
    said: str = ""

    def __str__(self) -> str:
        return f"{self.head}: {self.said}" if self.said else self.head


def list_servers(project: Project) -> list[Server]:
    """Return the servers that can be started on a project, be they installed or not."""
    has_manage = (HOME / project.name / project.base / "manage.py").is_file()
    return [server for server in SERVERS if has_manage or server is not RUNSERVER]


def visit(server: Server, project: Project) -> Outcome:
    """Start a server on a copy of a project, ask for its page, stop it; tell what came of it."""
    with tempfile.TemporaryDirectory(prefix="deployment-") as name:
        place = Path(name)
        base = shutil.copytree(HOME / project.name, place / "project") / project.base
        elsewhere = place / "elsewhere"
        elsewhere.mkdir()
        environ = {
            **make_environ(*([base] if project.is_served_elsewhere else [])),
            "HOME": name,  # Gunicorn keeps a socket there
            **project.environ,
        }
        address = f"127.0.0.1:{find_free_port()}"
        log = place / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                server.make_command(base, address, project.served),
                cwd=elsewhere if project.is_served_elsewhere else base,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its workers can be stopped with it
            )
        try:
            found = await_answer(process, address, project.path)
        finally:
            is_stopped = stop(process)
        return describe(found, log.read_text("utf-8", "replace"), is_stopped=is_stopped)


def find_free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to the request."""

    status: int
    body: str


def await_answer(process: subprocess.Popen, address: str, path: str) -> Answer | int | None:
    """Ask a server until it answers; return the answer, its exit code, or None for neither."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            return ask(address, path)
        except (http.client.HTTPException, ConnectionResetError):  # it has accepted, and hung up
            return await_exit(process, GRACE)
        except OSError:  # nobody listens
            code = await_exit(process, PAUSE)
            if code is not None:
                return code
    return None


def ask(address: str, path: str) -> Answer:
    """Return the answer to one GET."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    finally:
        connection.close()


def await_exit(process: subprocess.Popen, seconds: float) -> int | None:
    """Return the exit code of a process that ends within some seconds, else None."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def stop(process: subprocess.Popen) -> bool:
    """End a server that we have started, with its workers; tell whether SIGTERM was enough."""
    process.terminate()
    is_stopped = await_exit(process, GRACE) is not None
    with suppress(ProcessLookupError):  # all of them are gone
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return is_stopped


_TELLING = re.compile(
    r"""
    ^(?:[a-z_]\w*\.)*(?P<exception>[A-Z]\w*(?:Error|Exception|Configured|NotReady)(?::\ .*)?)$
    | ^(?P<gunicorn>(?:Failed\ to\ |Application\ object\ ).*)$
    | ^1\.\ (?P<waitress>.*)$  # the first argument of an exception that it met
    """,
    re.VERBOSE | re.MULTILINE,
)
"""The lines of a log that tell what is wrong."""

_VOLATILE = re.compile(r"(?:/[\w.+-]+){2,}/(?=[\w.+-])|\ at\ 0x[0-9a-f]+")
"""What differs from run to run: directories, and addresses of objects."""


def describe(found: Answer | int | None, log: str, *, is_stopped: bool) -> Outcome:
    """Return what came of a server, in short."""
    lines = [match[match.lastgroup] for match in _TELLING.finditer(log)]
    said = _VOLATILE.sub("", lines[-1]) if lines else ""
    if isinstance(found, Answer):
        if found.status == http.HTTPStatus.OK:
            said = found.body.strip().partition("\n")[0][:SHOWN]
        head = str(found.status)
    else:
        head = "no response" if found is None else f"exits with {found}"
    return Outcome(
        head, said if is_stopped else f"{said} (SIGTERM does not stop it in {GRACE:g} s)"
    )


_HEAD = """\
# Deployment

What servers say of the projects in `fixtures/projects`, and what `pytest --wsgi-app` says of them.
Each server was started on each project as people start it, and asked for one page:

{commands}

{versions}.

What to see here:

- **runserver proves little.** manage.py has named the settings and set Django up before wsgi.py is
  imported, so it serves projects that no other server loads; where WSGI_APPLICATION is not set it
  does not even look at wsgi.py.
- **A server that starts proves little.** Gunicorn, waitress and uWSGI load a class, a factory, an
  ASGI application and what takes a request, and fail at every request. waitress takes a text for an
  application, uWSGI even None.
- **uWSGI always starts.** What it cannot import it answers with 500 for good, unless it is told
  `--need-app`. Where the application raises, it hangs up without a byte of response; its own log
  calls that a 500.
- **uWSGI is not `python`.** It embeds the interpreter, which then does not turn to UTF-8 by itself
  under LC_ALL=C: a file that is read without `encoding=` stops it, and no other server here, not
  even pyuwsgi, the same server as a wheel, which runs inside `python`.
- **What is lost in between, nobody sees.** close() that is never called, settings of another site,
  a variable that is overruled and handlers that mod_wsgi cannot use come with 200 from all of them.
- **An import may take SIGTERM away.** Gunicorn and waitress then do not stop when they are told to.

A cell begins with the status of the response, with `no response` where the connection was closed
without one, or with how the server exited; then come the page, or the last telling line of its log.

Generated from `tests/real/projects.py` and live servers: `{command}`
"""


def render_page() -> str:
    """Return the text of the page; every server is started on every project."""
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(visit_all, PROJECTS))
    head = _HEAD.format(
        commands="\n".join(f"    {server.shown}" for server in SERVERS),
        versions=name_versions(),
        command=COMMAND,
    )
    return head + "".join(map(render_project, PROJECTS, outcomes))


def visit_all(project: Project) -> dict[str, str]:
    """Return what comes of each server on a project."""
    return {server.name: str(visit(server, project)) for server in list_servers(project)}


def name_versions() -> str:
    """Return the versions of all that is on the page."""
    servers = (server.version for server in SERVERS)
    return f"Seen with Python {platform.python_version()}, {', '.join(servers)}"


def render_project(project: Project, outcomes: dict[str, str]) -> str:
    """Return the section of a project: what servers say, and what we say."""
    rows = [*outcomes.items(), *((name_case(case), describe_case(case)) for case in project.cases)]
    table = "".join(f"| {name} | {escape(text)} |\n" for name, text in rows)
    text = " ".join([project.what, *tell_start(project)])
    return f"\n## {project.name}\n\n{text}\n\n| asked | says |\n|---|---|\n{table}"


def tell_start(project: Project) -> Iterator[str]:
    """Yield sentences on what is special about the servers' start and request."""
    if project.is_served_elsewhere:
        yield "The servers were started in another directory, with this one on PYTHONPATH."
    if project.environ:
        given = " ".join(f"{name}={value}" for name, value in project.environ.items())
        yield f"The servers were started with {given}."
    if project.path != "/":
        yield f"They were asked for `{project.path}`."


def name_case(case: Case) -> str:
    """Return a run as it is typed."""
    environ = (f"{name}={quote(value)}" for name, value in case.environ.items())
    words = map(quote, ("pytest", "--wsgi-app", case.spec, *case.options))
    return f"`{' '.join([*environ, *words])}`"


def quote(word: str) -> str:
    """Return a word as it is typed in a shell."""
    return f'"{word}"' if set(word) & set(" ()") else word


def describe_case(case: Case) -> str:
    """Return what comes of a run of ours: its exit code, the broken rules and what it says."""
    return f"exits with {case.exit_code}: {describe_broken(case)}"


def describe_broken(case: Case) -> str:
    """Return the rules that a run finds broken, MUSTs first, and what it says where it fails."""
    rules = (
        f"{level.name} `{rule}`"
        for level in Level
        for rule in case.broken
        if CATALOGUE[rule].level is level
    )
    said = f": {case.says[0]}" if case.says and case.exit_code else ""
    return (", ".join(rules) or "nothing is broken") + said


def escape(text: str) -> str:
    """Return a text for a cell of a table."""
    return text.replace("|", "\\|")


def read_page() -> dict[str, dict[str, str]]:
    """Return what the page says: for each project the cells of its table by their names."""
    sections = FILE.read_text("utf-8").split("\n## ")[1:]
    rows = re.compile(r"^\| (.+?) \| (.*) \|$", re.MULTILINE)
    return {text.partition("\n")[0]: dict(rows.findall(text)[1:]) for text in sections}


_README = """\
# Projects

Small real projects that the tests and the README run the real command on. What is usual for Django
and Flask is left out here; [reports/deployment.md](../../reports/deployment.md) has every run, and
what servers say of the same projects.

| directory | what is right or wrong | `pytest --wsgi-app` says |
|---|---|---|
{rows}"""


def render_readme() -> str:
    """Return the text of fixtures/projects/README.md."""
    return _README.format(rows="".join(map(render_row, PROJECTS)))


def render_row(project: Project) -> str:
    """Return a project's line of the table."""
    cells = (f"`{project.name}`", project.what, describe_broken(project.cases[0]))
    return f"| {' | '.join(map(escape, cells))} |\n"


if __name__ == "__main__":
    README.write_text(render_readme(), encoding="utf-8")
    FILE.write_text(render_page(), encoding="utf-8")
