"""What stands between server, validator and application changes nothing and hears everything."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import threading
import warnings
import wsgiref.validate
from wsgiref.util import FileWrapper

import pytest

from wsgiref_validate_wrappers import unsupported, wrap
from wsgiref_validate_wrappers.hearing import load_validate, validator

TEXT = ("Content-Type", "text/plain")


def hello(_environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"hello"]


def refuse(*_):
    raise ZeroDivisionError


class Hostile:
    """Nothing may look at it."""

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = refuse


def ids(checked):
    return [finding.check for finding in checked.findings]


def test_good_exchange_has_no_findings(environ, start_response):
    with wrap(hello) as checked:
        blocks = checked(environ, start_response)
        assert iter(blocks) is blocks
        assert list(blocks) == [b"hello"]
        blocks.close()
    assert checked.findings == ()
    assert start_response.seen == ("200 OK", [TEXT])


def test_report_is_called_at_once_and_in_the_thread(environ, start_response):
    heard = []

    def application(_environ, start_response):
        start_response("200 OK", [])
        heard.append("returned")
        return [b""]

    checked = wrap(application, lambda finding: heard.append((finding, threading.get_ident())))
    checked(environ, start_response).close()
    assert heard == [(checked.findings[0], threading.get_ident()), "returned"]


def test_same_finding_comes_once_per_call(environ, start_response):
    def application(environ, start_response):
        start_response("200 OK", [TEXT])
        return [environ["wsgi.input"].read(), environ["wsgi.input"].read()]

    checked = wrap(application)
    for _ in range(2):
        blocks = checked({**environ, "wsgi.input": io.BytesIO(b"all")}, start_response)
        assert list(blocks) == [b"all", b""]
        blocks.close()
    assert ids(checked) == ["input-read-with-size"] * 2


def test_application_that_swallows_the_error_is_noted(environ, start_response):
    def application(_environ, start_response):
        try:
            start_response(b"200 OK", [TEXT])
        except AssertionError:
            start_response("500 Sorry", [TEXT])
        return []

    checked = wrap(application)
    checked(environ, start_response).close()
    assert ids(checked) == ["status-is-str"]


def test_application_gets_the_environ_itself(environ, start_response):
    seen = []
    body, errors = io.BytesIO(b"a\nb\nc\nd"), io.StringIO()
    environ.update({"wsgi.input": body, "wsgi.errors": errors, "my.object": Hostile()})
    original = dict(environ)

    def application(inner, start_response):
        seen.append(inner)
        stream = inner["wsgi.input"]
        write = start_response("200 OK", [TEXT])
        write(stream.read(2))
        write(stream.readline())
        write(stream.readlines()[0])
        assert list(stream) == []
        inner["wsgi.errors"].writelines(["one ", "two"])
        inner["wsgi.errors"].flush()
        return []

    checked = wrap(application)
    checked(environ, start_response).close()
    assert seen[0] is environ
    assert environ["wsgi.input"].input is body
    assert environ["wsgi.errors"].errors is errors
    assert environ.keys() == original.keys()
    assert [key for key in environ if environ[key] is not original[key]] == [
        "wsgi.input",
        "wsgi.errors",
    ]
    assert start_response.written == [b"a\n", b"b\n", b"c\n"]
    assert errors.getvalue() == "one two"
    assert checked.findings == ()


def test_nothing_is_shown_to_be_looked_at(environ, start_response):
    class Body(Hostile, io.BytesIO):
        __hash__ = io.BytesIO.__hash__

    environ.update(
        {"x.hostile": Hostile(), "hostile": Hostile(), "wsgi.input": Body(), ("odd",): Hostile()}
    )
    error = ValueError(Hostile())

    def application(_environ, start_response):
        start_response("200 OK", [TEXT], (ValueError, error, None))
        return [Hostile()]

    checked = wrap(application)
    blocks = checked(environ, start_response)
    assert start_response.seen[2][1] is error
    with pytest.raises(AssertionError, match="yielded a Hostile"):
        next(blocks)
    blocks.close()
    assert "A key of the environ is a tuple" in checked.findings[1].message
    assert ids(checked) == [
        "undotted-variables-are-str",
        "environ-keys-are-str",
        "blocks-are-bytes",
    ]


def test_server_gets_the_arguments_themselves(environ, start_response):
    headers = [TEXT]

    def application(_environ, start_response):
        try:
            refuse()
        except ZeroDivisionError:
            application.exc_info = sys.exc_info()
            start_response("500 Sorry", headers, application.exc_info)
        return []

    wrap(application)(environ, start_response).close()
    assert start_response.seen[1] is headers
    assert start_response.seen[2] is application.exc_info


def test_start_response_that_raises_is_heard_by_the_application(environ):
    def application(_environ, start_response):
        with pytest.raises(ZeroDivisionError):
            start_response("200 OK", [TEXT])
        return []

    checked = wrap(application)
    checked(environ, refuse).close()
    assert checked.findings == ()


def raises_at_once(_environ, _start_response):
    raise TypeError("mine")


def raises_in_a_constructor(_environ, _start_response):
    class Response:
        def __init__(self):
            raise TypeError("mine")

    Response()


def raises_in_c(_environ, start_response):
    start_response("200 OK", [TEXT])
    return map(int, ["mine"])


def raises_when_made_an_iterator(_environ, start_response):
    class Body:
        def __iter__(self):
            raise TypeError("mine")

    start_response("200 OK", [TEXT])
    return Body()


def has_a_stray_signature(_environ):
    raise NotImplementedError


def uses_the_input_otherwise(environ, _start_response):
    environ["wsgi.input"].mine()


@pytest.mark.parametrize(
    ("application", "kind", "words"),
    [
        (raises_at_once, TypeError, "mine"),
        (raises_in_a_constructor, TypeError, "mine"),
        (raises_in_c, ValueError, "mine"),
        (raises_when_made_an_iterator, TypeError, "mine"),
        (has_a_stray_signature, TypeError, "positional argument"),
        (uses_the_input_otherwise, AttributeError, "'InputWrapper' object has no attribute 'mine'"),
    ],
)
def test_errors_of_the_application_pass(application, kind, words, environ, start_response):
    checked = wrap(application)
    with pytest.raises(kind, match=words):
        next(checked(environ, start_response))
    assert {"iterable-is-closed"} >= {finding.check for finding in checked.finish()}


def test_error_inside_the_input_of_the_server_passes(environ, start_response):
    class Input:
        @property
        def read(self):
            raise ValueError("mine")

    environ["wsgi.input"] = Input()
    checked = wrap(hello)
    with pytest.raises(ValueError, match="mine"):
        checked(environ, start_response)
    assert checked.findings == ()


def test_other_exceptions_than_type_error_leave_no_finding(environ, start_response):
    def application(_environ, _start_response):
        raise SystemExit(3)

    checked = wrap(application)
    with pytest.raises(SystemExit):
        checked(environ, start_response)
    assert checked.finish() == ()


def test_close_reaches_the_returned_object_and_is_counted(environ, start_response):
    closed = []

    class Body(list):
        def close(self):
            closed.append(self)

    body = Body([b"a", b"b"])

    def application(_environ, start_response):
        start_response("200 OK", [TEXT])
        return body

    checked = wrap(application)
    blocks = checked(environ, start_response)
    assert next(blocks) == b"a"
    blocks.close()
    assert len(closed) == 1
    assert closed[0] is body
    assert checked.finish() == ()


def test_close_that_raises_is_a_close(environ, start_response):
    def application(_environ, start_response):
        start_response("200 OK", [TEXT])
        try:
            yield b"a"
        finally:
            raise OSError("mine")

    checked = wrap(application)
    blocks = checked(environ, start_response)
    next(blocks)
    with pytest.raises(OSError, match="mine"):
        blocks.close()
    assert checked.finish() == ()


def test_unclosed_iterables_are_noted_once_each_and_in_silence(environ, start_response, capsys):
    checked = wrap(hello)
    for _ in range(3):
        checked(dict(environ), start_response)
    gc.collect()
    assert ids(checked) == []
    assert [finding.check for finding in checked.finish()] == ["iterable-is-closed"] * 3
    assert len(checked.finish()) == 3
    assert capsys.readouterr() == ("", "")


def test_nothing_is_kept_alive(environ, start_response):
    """The iterable ends when the server lets go of it, as it does unwrapped."""
    ended = []

    def application(_environ, start_response):
        start_response("200 OK", [TEXT])
        try:
            yield b"a"
            yield b"b"
        finally:
            ended.append(True)

    checked = wrap(application)
    next(checked(environ, start_response))
    gc.collect()
    assert ended == [True]
    assert [finding.check for finding in checked.finish()] == ["iterable-is-closed"]


def test_file_wrapper_is_hidden_as_by_the_standard_library(environ, start_response):
    def application(_environ, start_response):
        start_response("200 OK", [TEXT])
        return FileWrapper(io.BytesIO(b"file"))

    blocks = wrap(application)(environ, start_response)
    assert not isinstance(blocks, FileWrapper)
    assert list(blocks) == [b"file"]
    blocks.close()


def late_in_b(environ, start_response):
    if environ["PATH_INFO"] == "/a":
        start_response("200 OK", [TEXT])
    yield b"x"


def test_interleaved_calls_keep_their_findings_apart(environ, start_response):
    found = {"/a": [], "/b": []}
    blocks = {
        path: wrap(late_in_b, found[path].append)({**environ, "PATH_INFO": path}, start_response)
        for path in found
    }
    with pytest.raises(AssertionError):
        next(blocks["/b"])
    assert next(blocks["/a"]) == b"x"
    for iterable in blocks.values():
        iterable.close()
    assert found["/a"] == []
    assert [finding.check for finding in found["/b"]] == ["block-after-start-response"]


def test_concurrent_calls_keep_their_findings_apart(environ):
    together = threading.Barrier(2, timeout=60)
    found = {"204 No Content": [], "200 OK": []}

    def application(environ, start_response):
        together.wait()
        start_response(environ["my.status"], [TEXT])
        together.wait()
        return [environ["wsgi.input"].read()]

    def serve(status):
        checked = wrap(application, found[status].append)
        blocks = checked({**environ, "my.status": status}, lambda *_: lambda _: None)
        together.wait()
        list(blocks)
        blocks.close()

    threads = [threading.Thread(target=serve, args=(status,)) for status in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [finding.check for finding in found["200 OK"]] == ["input-read-with-size"]
    assert [finding.check for finding in found["204 No Content"]] == [
        "content-type-not-with-204",
        "input-read-with-size",
    ]


def test_stream_that_is_read_in_another_thread_reports_to_its_call(environ, start_response):
    def application(environ, start_response):
        start_response("200 OK", [TEXT])
        thread = threading.Thread(target=environ["wsgi.input"].read)
        thread.start()
        thread.join()
        return []

    checked = wrap(application)
    checked(environ, start_response).close()
    assert ids(checked) == ["input-read-with-size"]


def test_wrapped_in_wrapped_notes_at_the_boundary_that_is_broken(environ, start_response):
    def application(_environ, start_response):
        start_response("200 OK", [TEXT])
        return 7

    inner = wrap(application)
    outer = wrap(inner)
    with pytest.raises(TypeError, match="not iterable"):
        outer(environ, start_response)
    assert ids(inner) == ["application-returns-iterable"]
    assert outer.findings == ()


def test_long_message_is_cut(environ, start_response):
    checked = wrap(lambda _environ, start_response: start_response("2" * 9999, [TEXT]))
    with pytest.raises(AssertionError):
        checked(environ, start_response)
    assert len(checked.findings[0].message) == 500


def test_validator_without_a_call_is_our_own_fault():
    with pytest.raises(RuntimeError, match="no call"):
        validator(hello)()


def test_unsupported_says_what_the_validator_cannot_survive(environ):
    assert unsupported(environ) is None
    for key in ("SCRIPT_NAME", "PATH_INFO"):
        poorer = {name: value for name, value in environ.items() if name != key}
        assert key in unsupported(poorer)
        with pytest.raises(KeyError):
            wsgiref.validate.validator(hello)(poorer, print)


def test_module_of_the_process_is_left_alone(environ, start_response):
    before = dict(vars(wsgiref.validate))
    filters = list(warnings.filters)
    checked = wrap(hello)
    del environ["QUERY_STRING"]
    checked(environ, start_response).close()
    assert ids(checked) == ["environ-has-query-string"]
    assert vars(wsgiref.validate) == before
    assert list(warnings.filters) == filters
    assert hasattr(wsgiref.validate.IteratorWrapper, "__del__")
    assert load_validate() is load_validate()
    assert load_validate() is not wsgiref.validate


def test_wsgiref_of_the_users_own_is_named(tmp_path, monkeypatch):
    (tmp_path / "wsgiref").mkdir()
    (tmp_path / "wsgiref" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("wsgiref", "wsgiref.validate"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match="called wsgiref"):
        load_validate.__wrapped__()


PROGRAM = """
import sys
from wsgiref.util import setup_testing_defaults
from wsgiref_validate_wrappers import wrap

def application(environ, start_response):
    start_response("200", [("Content-Type", "text/plain")])
    environ["wsgi.input"].read()
    yield "x"

environ = {"REQUEST_METHOD": "QUERY"}
setup_testing_defaults(environ)
checked = wrap(application)
blocks = checked(environ, lambda *_: None)
try:
    next(blocks)
except AssertionError:
    print("refused")
del blocks
print(*(finding.check for finding in checked.finish()))
print(any(name.startswith(("pytest", "wsgiref.validate")) for name in sys.modules))
"""


@pytest.mark.parametrize("options", [[], ["-O"], ["-OO"], ["-W", "error"], ["-X", "dev"]])
def test_options_of_the_interpreter_change_nothing(options):
    ran = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    refused, found, loaded = ran.stdout.splitlines()
    assert refused == "refused"
    assert found.split() == [
        "environ-has-query-string",
        "request-method-is-known",
        "status-has-a-reason",
        "input-read-with-size",
        "blocks-are-bytes",
        "iterable-is-closed",
    ]
    assert loaded == "False"
