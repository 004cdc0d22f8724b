"""Configuration of the Superset that `npm run dashboards:up` starts. Nothing secret stands here."""

import os
import re
from pathlib import Path

from flask import Blueprint, abort
from markdown import Markdown
from markdown.extensions.toc import TocExtension
from superset.utils.log import AbstractEventLogger

_home = Path(os.environ["SUPERSET_HOME"])

SECRET_KEY = Path(os.environ["SUPERSET_SECRET_KEY_FILE"]).read_text().strip()
# Threads of one process share the file; a writer waits for another one instead of failing.
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_home / 'metadata.db'}?check_same_thread=false&timeout=30"

APP_NAME = "Billing analytics"
# Cookies ignore ports: a second Superset on this machine would end the sessions of the first.
SESSION_COOKIE_NAME = f"superset_{os.environ.get('SUPERSET_PORT', '')}"

# Saves the second viewer a query. Auto-refresh and the button "Refresh" go past it.
DATA_CACHE_CONFIG = {
    "CACHE_TYPE": "FileSystemCache",
    "CACHE_DIR": str(_home / "cache"),
    "CACHE_THRESHOLD": 2000,
    "CACHE_DEFAULT_TIMEOUT": 60,
}

# The page loads nothing from anywhere else, and reports nothing to anybody: no map tiles, no fonts, no usage pixel.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    # It listens on loopback; a proxy in front of it brings its own certificate.
    "force_https": False,
    "session_cookie_secure": False,
}

# Metrics of money name their currency by its ISO code.
CURRENCIES = ["USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "KWD"]


class _NoEventLog(AbstractEventLogger):
    """Superset would write every click into its metadata, which then grows for ever."""

    def log(self, *args, **kwargs):
        pass


EVENT_LOGGER = _NoEventLog()


def FLASK_APP_MUTATOR(app):
    """
    Superset writes `SELECT toStartOfMonth(day) AS day ... WHERE day >= ...`, and ClickHouse takes the `day` of WHERE
    for the alias: a filter from 15 May at the grain of months loses all of May, without a word. With a label that no
    column has, WHERE means the column. Superset gives the result its own names back.
    """
    from superset.db_engine_specs.clickhouse import ClickHouseConnectEngineSpec

    ClickHouseConnectEngineSpec._mutate_label = staticmethod(lambda label: f"{label}__shown")
    app.register_blueprint(_definitions)


_definitions = Blueprint("definitions", __name__)


@_definitions.route("/definitions/")
def definitions():
    """What each number means: docs/metrics.md of the checkout, to which the dashboards link."""
    file = Path(os.environ.get("SUPERSET_DEFINITIONS", ""))
    if not file.is_file():
        abort(404)
    toc = TocExtension(slugify=lambda heading, separator: _anchor(heading), permalink=False)
    text = file.read_text()
    body = Markdown(extensions=["tables", "fenced_code", toc]).convert(text)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Definitions</title><style>
        body {{ font: 15px/1.5 Inter, Helvetica, Arial, sans-serif; color: #484848; max-width: 52rem; margin: 2rem auto }}
        table {{ border-collapse: collapse }} td, th {{ border: 1px solid #e0e0e0; padding: .3rem .6rem; text-align: left }}
        code {{ background: #f5f5f5 }} :target {{ background: #fff3c4 }}
        </style>{body}</html>"""


def _anchor(heading):
    """Anchors as code hosts make them, so that one link fits both."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
