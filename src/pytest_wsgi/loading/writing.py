"""What is done with a proposal: it is shown as a unified diff, or written.

Nothing is ever written over, and each file is there as a whole or not at all.
"""

from __future__ import annotations

import difflib
import importlib
import io
import os
import secrets
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wsgi.loading.asked import MENDED, Corrected
from pytest_wsgi.loading.command import pytest_command
from pytest_wsgi.loading.paths import relative
from pytest_wsgi.loading.project import OPTION, refuse
from pytest_wsgi.loading.proposal import refuse_existing
from pytest_wsgi.loading.settings import APPLICATION

if TYPE_CHECKING:
    from pytest_wsgi.loading.proposal import Proposal


def describe_proposal(proposal: Proposal) -> str:
    """Return a proposal as a unified diff, below it what else is to be known."""
    edit, rootdir = proposal.edit, proposal.asked.rootdir
    files = [proposal.file, *([edit.file] if edit else [])]
    base = _find_base(proposal, files)
    names = [relative(file, base) for file in files]
    diff = _diff("/dev/null", f"b/{names[0]}", "", proposal.text)
    if edit:
        before, after = edit.before.decode(edit.encoding), edit.after.decode(edit.encoding)
        diff += _diff(f"a/{names[1]}", f"b/{names[1]}", before, after)
    where = [] if base == rootdir else [f"The names start from {base.as_posix()}."]
    command = f"{pytest_command(proposal.spec, *proposal.options)} {OPTION}=write"
    return "\n".join([diff, *where, *proposal.notes, f"To write it and try it: {command}", ""])


def write_proposal(proposal: Proposal) -> str:
    """Write the new file, and the line into the settings; return what to say of it.

    Raises LoadError where something has the name by now, where the settings changed since they were
    read, and where a file cannot be written.
    """
    asked, edit = proposal.asked, proposal.edit
    try:
        with ExitStack() as stack:
            new = _write_beside(stack, proposal.file, proposal.text.encode())
            if edit is None:
                _give_name(new, proposal.file)
            else:
                file = edit.file.resolve()
                changed = _write_beside(stack, file, edit.after, like=file)
                if file.read_bytes() != edit.before:
                    what = f"{relative(file, asked.rootdir)} has just been changed."
                    refuse(asked, "propose-changed", what, (), Corrected(when="Try"))
                _give_name(new, proposal.file)
                changed.replace(file)
    except FileExistsError:
        refuse_existing(asked, proposal.module, proposal.file)
    except OSError as error:
        where = relative(Path(error.filename or proposal.file).parent, asked.rootdir)
        what = f"Nothing can be written in {where}: {error.strerror}."
        refuse(asked, "propose-not-writable", what, (), Corrected(when=MENDED))
    importlib.invalidate_caches()
    return _tell(proposal)


def _write_beside(stack: ExitStack, file: Path, data: bytes, like: Path | None = None) -> Path:
    """Write a file that can be renamed to `file`, and is gone with the stack if it was not."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with beside.open("xb") as stream:
        stack.callback(beside.unlink, missing_ok=True)
        stream.write(data)
    if like is not None:
        shutil.copymode(like, beside)
        with suppress(AttributeError, PermissionError):  # Windows; a group of others
            os.chown(beside, like.stat().st_uid, like.stat().st_gid)
    return beside


def _give_name(new: Path, file: Path) -> None:
    """Let a file have its name; raises FileExistsError where something else has it."""
    try:
        os.link(new, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: this cannot write over anything either
        with file.open("xb") as stream:
            stream.write(new.read_bytes())


def _tell(proposal: Proposal) -> str:
    rootdir = proposal.asked.rootdir
    name = relative(proposal.file, rootdir)
    lines = [f"wrote {name}, as the startproject of Django {proposal.series} makes it"]
    if proposal.edit:
        lines.append(f"wrote {APPLICATION} into {relative(proposal.edit.file, rootdir)}")
    return "".join(f"wsgi: {line}\n" for line in [*lines, *proposal.notes])


def _find_base(proposal: Proposal, files: list[Path]) -> Path:
    """Return the directory that the names start from: rootdir, unless only another holds all."""
    roots = [proposal.asked.rootdir, *map(Path, proposal.asked.paths)]
    holding = (
        root
        for root in roots
        if all(file.resolve().is_relative_to(root.resolve()) for file in files)
    )
    return next(holding, roots[0])


def _diff(old: str, new: str, before: str, after: str) -> str:
    lines = [list(io.StringIO(text, newline="\n")) for text in (before, after)]
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(lines[0], lines[1], old, new)
    )
