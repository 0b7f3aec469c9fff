"""Flask: files, streams and uploads, each asked for in every way."""

from __future__ import annotations

import pytest

from real.subjects import FRAMEWORKS, list_broken

pytestmark = pytest.mark.slow

(SUBJECT,) = (subject for subject in FRAMEWORKS if subject.module == "flask_files.py")

UPLOAD = """
def test_upload(wsgi_client):
    sent = [("file", "picture.bin", b"x" * (3 << 20)), ("text", "caf\u00e9.txt", b"text")]
    page = wsgi_client.post("/upload", {"name": "value"}, upload_files=sent)
    assert page.json == {"files": {"file": 3 << 20, "text": 4}, "fields": ["name"]}


def test_part_of_a_download(wsgi_client):
    part = wsgi_client.get("/memory", headers={"Range": "bytes=10-19"})
    assert (part.status_int, part.body) == (206, b"ontents co")
    assert part.headers["Content-Range"] == "bytes 10-19/9000"
    wsgi_client.get("/memory", headers={"Range": "bytes=9000-"}, status=416)
    wsgi_client.get("/memory", headers={"If-None-Match": part.headers["ETag"]}, status=304)
"""


@pytest.mark.parametrize("front", ["disk", "memory", "tagged", "streamed", "upload"])
def test_page_breaks_what_is_known_when_it_is_asked_in_every_way(front, examine, bring):
    bring(SUBJECT.module)
    run = examine(f"flask_files:create_app({front!r})", "--wsgi-unsafe")
    assert run.list_broken() == list_broken(SUBJECT.broken), run.output
    assert run.exit_code == 0, run.output


def test_uploads_and_parts_of_files_pass_by_the_client(examine, bring, tmp_path):
    bring(SUBJECT.module)
    (tmp_path / "test_by_client.py").write_text(UPLOAD, encoding="utf-8")
    run = examine(SUBJECT.spec, "test_by_client.py", "-rA")
    assert run.exit_code == 0, run.output
    assert run.output.count("PASSED test_by_client.py::") == 2, run.output
