"""Reports to what is no file: it is written to, and stays what it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from pytest_wsgi.rendering.files import write_whole


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "wsgi.json"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write_whole(pipe, "whole")
    reader.join(10)
    assert read == ["whole"]
    assert pipe.is_fifo()


@pytest.mark.skipif(os.name != "posix", reason="this system has no /dev/stdout")
@pytest.mark.parametrize("through", ["pipe", "file"])
def test_standard_output_is_written_to(tmp_path, through):
    code = (
        "from pathlib import Path\n"
        "from pytest_wsgi.rendering.files import write_whole\n"
        "write_whole(Path('/dev/stdout'), 'whole')"
    )
    words = [sys.executable, "-c", code]
    if through == "pipe":
        assert subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout == b"whole"
        return
    with (tmp_path / "log").open("w") as log:
        subprocess.run(words, stdout=log, check=True)
        assert os.fstat(log.fileno()).st_ino == (tmp_path / "log").stat().st_ino
    assert (tmp_path / "log").read_text() == "whole"


def test_of_a_link_the_file_that_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "kept" / "wsgi.json")
    (tmp_path / "kept").mkdir()
    write_whole(tmp_path / "link.json", "whole")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "kept" / "wsgi.json").read_text() == "whole"
