"""How much of the user's own code the probes reached, as a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_RANGE = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?", re.ASCII)
"""A range of lines; no file has more of them than these digits can count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReach:
    """What was reached of one file, which is named relative to the root, with `/`.

    `lines` counts the executable lines, `reached` those of them that ran; `missing` names the
    others as ranges, such as "3-5, 9".
    """

    file: str
    lines: int
    reached: int
    missing: str = ""

    @property
    def percent(self) -> int:
        """How much was reached, in whole percent; 100 only for all, and 0 only for nothing."""
        return find_percent(self.reached, self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What loading and probing a target reached of the user's own files, sorted by their names.

    Files that were never imported are not among them.
    """

    files: tuple[FileReach, ...] = ()

    @property
    def lines(self) -> int:
        """How many executable lines there are."""
        return sum(file.lines for file in self.files)

    @property
    def reached(self) -> int:
        """How many of them ran."""
        return sum(file.reached for file in self.files)

    @property
    def percent(self) -> int:
        """How much was reached, in whole percent; 100 only for all, and 0 only for nothing."""
        return find_percent(self.reached, self.lines)

    @property
    def text(self) -> str:
        """How much was reached in one line; of files that were never imported it says nothing."""
        if not self.files:
            return "no file of yours was measured"
        lines = "1 line" if self.lines == 1 else f"{self.lines} lines"
        files = "1 file" if len(self.files) == 1 else f"{len(self.files)} files"
        text = f"{self.percent} % of {lines} in {files} of yours that were imported"
        worst = self.worst
        if worst is None:
            return text
        return f"{text}; missed most in {worst.file}, {worst.reached} of {worst.lines} reached"

    @property
    def worst(self) -> FileReach | None:
        """The file of which most lines were missed, None where none was."""
        missed = [file for file in self.files if file.reached < file.lines]
        return max(missed, key=lambda file: file.lines - file.reached, default=None)


def find_percent(part: int, whole: int) -> int:
    """Return a share in whole percent, rounded away from both ends; 100 of nothing."""
    if part >= whole or whole <= 0:
        return 100
    return min(max(round(100 * part / whole), 1 if part else 0), 99)


def describe_file(file: str, lines: int, missing: Iterable[int]) -> FileReach:
    """Return what was reached of a file, by the numbers of the lines that were not."""
    missed = sorted(set(missing))
    return FileReach(
        file=file, lines=lines, reached=lines - len(missed), missing=show_ranges(missed)
    )


def merge_reaches(reaches: Sequence[Reach | None]) -> Reach | None:
    """Return what any of several processes reached; None where none of them measured."""
    measured = [reach for reach in reaches if reach is not None]
    if len(measured) < 2:  # noqa: PLR2004 # there is nothing to merge
        return measured[0] if measured else None
    by_name: dict[str, list[FileReach]] = {}
    for reach in measured:
        for file in reach.files:
            by_name.setdefault(file.file, []).append(file)
    return Reach(files=tuple(merge_files(by_name[name]) for name in sorted(by_name)))


def merge_files(files: Sequence[FileReach]) -> FileReach:
    """Return what was reached of one file in any of several processes.

    A line is missing that none of them ran. Their Python may count other lines of a file; then the
    longest list is taken, and the share of the best.
    """
    if len({file.lines for file in files}) > 1:
        return max(files, key=lambda file: (file.reached / max(file.lines, 1), file.lines))
    missing = set.intersection(*(set(read_ranges(file.missing)) for file in files))
    return describe_file(files[0].file, files[0].lines, missing)


def show_ranges(numbers: Sequence[int]) -> str:
    """Return sorted numbers as ranges: "3-5, 9"."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return ", ".join("-".join(map(str, ends)) for ends in ranges)


def read_ranges(text: str) -> Iterator[int]:
    """Yield the numbers of ranges as `show_ranges` writes them; what is no range is passed over."""
    for part in text.split(", "):
        found = _RANGE.fullmatch(part)
        if found:
            yield from range(int(found[1]), int(found[2] or found[1]) + 1)
