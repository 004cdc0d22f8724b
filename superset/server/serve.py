"""What gunicorn serves: Superset, with the accounts that `accounts.json` in SUPERSET_HOME asks for."""

import json
import os
from pathlib import Path

from superset.app import create_app

app = create_app()


def _make_accounts() -> None:
    """
    Each start brings the password of an account that is asked for, and makes the account where it is missing. The file
    is taken away when that is done: it holds passwords, and only their hashes are kept.
    """
    asked = Path(os.environ["SUPERSET_HOME"]) / "accounts.json"
    if not asked.exists():
        return
    from superset import db, security_manager

    for name, password in json.loads(asked.read_text()).items():
        user = security_manager.find_user(name)
        if user is None:
            admin = security_manager.find_role("Admin")
            made = security_manager.add_user(name, name, "account", f"{name}@localhost", admin, password)
            if not made:
                raise RuntimeError(f"The account {name} could not be made")
        else:
            security_manager.reset_password(user.id, password)
    db.session.commit()
    asked.unlink()


with app.app_context():
    _make_accounts()
