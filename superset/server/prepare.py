"""Brings the metadata in SUPERSET_HOME to the installed version: tables, permissions and roles. Idempotent."""

import flask_migrate
from superset.app import create_app

app = create_app()
with app.app_context():
    from superset import appbuilder, db, security_manager

    flask_migrate.upgrade(directory=f"{app.root_path}/migrations")
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    db.session.commit()
