from __future__ import annotations

import io
import sys

import pytest

from pytest_wsgi.drivers.gateway import EDIT, FileWrapper, Gateway, StrictErrors, StrictInput


def fail():
    try:
        raise ValueError("first")
    except ValueError:
        return sys.exc_info()


def test_second_start_without_exc_info_is_refused():
    gateway = Gateway()
    assert gateway.start_response("200 OK", []) == gateway.write
    with pytest.raises(AssertionError, match="second time"):
        gateway.start_response("200 OK", [])


def test_exc_info_replaces_what_was_not_sent():
    gateway = Gateway()
    gateway.start_response("200 OK", [])
    gateway.write(b"")
    gateway.start_response("500 Error", [], fail())


def test_response_that_is_over_takes_nothing_more():
    gateway = Gateway()
    write = gateway.start_response("200 OK", [])
    gateway.is_over = True
    with pytest.raises(ValueError, match="this response is over"):
        write(b"late")
    with pytest.raises(ValueError, match="this response is over"):
        gateway.start_response("500 Error", [], fail())


@pytest.mark.parametrize("block", [b"x", "text", None])
def test_exc_info_is_raised_again_once_something_was_sent(block):
    gateway = Gateway()
    gateway.start_response("200 OK", [])
    gateway.write(block)
    with pytest.raises(ValueError, match="first") as caught:
        gateway.start_response("500 Error", [], fail())
    assert caught.traceback[-1].name == "fail"


@pytest.mark.parametrize("exc_info", [5, (1, 2, 3), "text", (None,)])
def test_malformed_exc_info_fails_as_it_does_on_servers(exc_info):
    gateway = Gateway()
    gateway.start_response("200 OK", [], exc_info)
    gateway.write(b"x")
    with pytest.raises((TypeError, AttributeError, IndexError)):
        gateway.start_response("500 Error", [], exc_info)


def test_data_before_the_start_is_refused():
    gateway = Gateway()
    gateway.write(b"")
    with pytest.raises(AssertionError, match="before start_response"):
        gateway.write(b"x")


def test_client_goes_after_some_blocks():
    gateway = Gateway(fails_after=1)
    gateway.start_response("200 OK", [])
    gateway.write(b"x")
    with pytest.raises(BrokenPipeError):
        gateway.write(b"x")


@pytest.mark.parametrize(
    ("headers", "after"), [([("A", "b")], [("A", "b"), EDIT]), ((("A", "b"),), (("A", "b"),))]
)
def test_server_may_edit_a_list_of_headers(headers, after):
    Gateway(edits_headers=True).start_response("200 OK", headers)
    assert headers == after


def test_input_reads_as_the_pep_says():
    stream = StrictInput(b"one\ntwo\nthree")
    assert (stream.read(1), stream.readline(), stream.readlines(1)) == (b"o", b"ne\n", [b"two\n"])
    assert (list(stream), stream.read(), stream.readlines(None)) == ([b"three"], b"", [])
    assert not hasattr(stream, "seek")


def test_errors_take_text_alone():
    errors = StrictErrors()
    errors.writelines(["one", "two"])
    errors.flush()
    with pytest.raises(TypeError, match="takes str, not bytes"):
        errors.write(b"x")


def test_file_wrapper_reads_and_closes():
    file = io.BytesIO(b"abc")
    wrapper = FileWrapper(file, 2)
    assert list(wrapper) == [b"ab", b"c"]
    wrapper.close()
    assert file.closed
    assert not hasattr(FileWrapper(object()), "close")
