from __future__ import annotations

import pytest

from pytest_wsgi.loading import Call, Spec, SpecError, parse_spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mysite.wsgi.application", Spec(text="", kind="dotted", target="mysite.wsgi.application")),
        ("app", Spec(text="", kind="dotted", target="app")),
        ("mysite.wsgi", Spec(text="", kind="dotted", target="mysite.wsgi")),
        ("my-app.web", Spec(text="", kind="dotted", target="my-app.web")),
        ("m:app", Spec(text="", kind="module", target="m", attributes=("app",))),
        ("m:a.b.c", Spec(text="", kind="module", target="m", attributes=("a", "b", "c"))),
        ("m: app ", Spec(text="", kind="module", target="m", attributes=("app",))),
        ("m:f()", Spec(text="", kind="module", target="m", attributes=("f",), call=Call())),
        (
            "p.m:f.g('a:b', [1], n=1, d={'x': -2.5})",
            Spec(
                text="",
                kind="module",
                target="p.m",
                attributes=("f", "g"),
                call=Call(
                    ("a:b", [1]), (("n", 1), ("d", {"x": -2.5})), "('a:b', [1], n=1, d={'x': -2.5})"
                ),
            ),
        ),
        ("wsgi.py", Spec(text="", kind="file", target="wsgi.py")),
        ("a/wsgi.py:app", Spec(text="", kind="file", target="a/wsgi.py", attributes=("app",))),
        ("a/site.wsgi", Spec(text="", kind="file", target="a/site.wsgi")),
        ("C:\\a\\wsgi.py", Spec(text="", kind="file", target="C:\\a\\wsgi.py")),
        (
            "C:/a/wsgi.py:app",
            Spec(text="", kind="file", target="C:/a/wsgi.py", attributes=("app",)),
        ),
        ("dev.ini", Spec(text="", kind="ini", target="dev.ini")),
        ("C:\\x\\dev.ini#api", Spec(text="", kind="ini", target="C:\\x\\dev.ini", section="api")),
        ("config:dev.ini#api", Spec(text="", kind="ini", target="dev.ini", section="api")),
        ("config:dev", Spec(text="", kind="module", target="config", attributes=("dev",))),
        ("paste:egg:Dist#main", Spec(text="", kind="paste", target="egg:Dist#main")),
        ("django", Spec(text="", kind="django")),
        ("auto", Spec(text="", kind="auto")),
        ("fixture", Spec(text="", kind="fixture")),
    ],
)
def test_a_spec_is_read(text, expected):
    found = parse_spec(text)
    assert found == Spec(
        text=text.strip(),
        kind=expected.kind,
        target=expected.target,
        attributes=expected.attributes,
        call=expected.call,
        section=expected.section,
    )


@pytest.mark.parametrize(
    ("text", "label", "rest"),
    [
        ("api=pkg.api:app", "api", "pkg.api:app"),
        ("v1.0-b = pkg", "v1.0-b", "pkg"),
        ("api=m:f(n=1)", "api", "m:f(n=1)"),
        ("m:f(n=1)", "", "m:f(n=1)"),
        ("m:f('a=b')", "", "m:f('a=b')"),
        ("./a=b/wsgi.py", "", "./a=b/wsgi.py"),
        ("paste:egg:D?x=1", "", "paste:egg:D?x=1"),
        ("api=django", "api", "django"),
    ],
)
def test_a_label_is_told_from_a_keyword_argument(text, label, rest):
    found = parse_spec(text)
    assert (found.label, found.text) == (label, rest)


@pytest.mark.parametrize(
    ("text", "name", "corrected"),
    [
        ("", "spec-empty", "mysite.wsgi.application"),
        ("api=", "spec-empty", "mysite.wsgi.application"),
        ("a[b]=pkg:app", "spec-label", "api=pkg:app"),
        ("=", "spec-label", "api=mysite.wsgi.application"),
        ("a b=pkg", "spec-label", "api=pkg"),
        ("a:b:c", "spec-attribute", "a:b.c"),
        ("a:b c", "spec-attribute", "a:b"),
        ("a:1", "spec-attribute", "a:1"),
        ("a:b[0]", "spec-attribute", "a:b"),
        ("a:-", "spec-attribute", "a:application"),
        ("a:b\0", "spec-attribute", "a:b"),
        ("ok:", "spec-no-attribute", "ok:application"),
        ("wsgi.py:", "spec-no-attribute", "wsgi.py:application"),
        ("https://example.com", "spec-url", "mysite.wsgi.application"),
        ("HTTP://localhost:8000/?a=b", "spec-url", "mysite.wsgi.application"),
        ("mysite/wsgi", "spec-slash", "mysite.wsgi:application"),
        ("mysite/wsgi:app", "spec-slash", "mysite.wsgi:app"),
        ("./", "spec-slash", "mysite.wsgi:application"),
        ("a b", "spec-module", "a.b:application"),
        (".mod:app", "spec-module", "mod:app"),
        ("!", "spec-module", "mysite.wsgi:application"),
        ("paste:", "spec-no-uri", "'paste:egg:MyDistribution#main'"),
        ("a.f()", "spec-call-without-colon", "'a:f()'"),
        ("f()", "spec-call-without-colon", "'mysite:f()'"),
        ("a.f(x='b:c')", "spec-call-without-colon", "\"a:f(x='b:c')\""),
        ("a:f(x)", "spec-call", "'a:f()'"),
        ("a:f(*'ab')", "spec-call", "'a:f()'"),
        ("a:f(**{})", "spec-call", "'a:f()'"),
        ("a:f(g())", "spec-call", "'a:f()'"),
        ("a:f()()", "spec-call", "'a:f()'"),
        ("a:f(", "spec-call", "'a:f()'"),
        ("a:f({[]})", "spec-call", "'a:f()'"),
    ],
)
def test_a_mistake_is_refused_with_the_corrected_command(text, name, corrected):
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    assert caught.value.problem.id == name
    assert caught.value.problem.message.splitlines()[-1] == f"Try: pytest --wsgi-app {corrected}"
    assert str(caught.value) == caught.value.problem.message


def test_nothing_is_evaluated(tmp_path):
    witness = tmp_path / "witness"
    with pytest.raises(SpecError, match="nothing is evaluated"):
        parse_spec(f"a:f(open({str(witness)!r}, 'w'))")
    assert not witness.exists()


def test_a_literal_that_the_compiler_warns_of_is_no_error(recwarn):
    assert parse_spec(r"a:f('\d')").call == Call(("\\d",), (), r"('\\d')")
    assert not recwarn.list


def test_a_url_is_told_from_a_spec():
    with pytest.raises(SpecError, match="it is a URL and not a SPEC"):
        parse_spec("api=https://example.com/x.ini")


@pytest.mark.parametrize("option", ["--wsgi-middleware", "--wsgi-layer"])
def test_message_names_the_option_that_the_spec_was_given_to(option):
    with pytest.raises(SpecError, match=f"Try: pytest {option} ") as caught:
        parse_spec("", option)
    assert "--wsgi-app" not in str(caught.value)


def test_spec_of_another_option_is_read_like_any():
    assert parse_spec("pkg.mod:Auth", "--wsgi-middleware") == parse_spec("pkg.mod:Auth")
