"""Secrets that a layer of a wrapped application keeps in its config."""

from __future__ import annotations

from pytest_wsgi.secrecy import read_config

SECRET = "canary-1234"  # noqa: S105 # it is none


class Application:
    def __init__(self):
        self.config = {"SECRET_KEY": SECRET}

    def wsgi_app(self, environ, start_response):
        raise RuntimeError(self.config["SECRET_KEY"])


class Key:
    """A key of the application's, which is hashed once, for its dict."""

    hashed = False

    def __hash__(self):
        assert not self.hashed
        self.hashed = True
        return 1


def test_a_bound_method_has_the_config_of_its_object():
    assert read_config(Application().wsgi_app) == {"SECRET_KEY": SECRET}


def test_keys_of_a_config_are_not_hashed_again():
    application = Application()
    application.config[Key()] = 1
    assert read_config(application) == {"SECRET_KEY": SECRET}
