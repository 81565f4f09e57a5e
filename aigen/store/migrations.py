"""The schema of the store, append-only: a migration that was released is never edited, only followed by another."""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("aigen")


def is_known(name: str) -> bool:
    """Whether this program has a migration of this name; a store that has others is newer."""
    return name in globals()


@migrations(transactional=False)
def m001_write_ahead_log(database: Database) -> None:
    database.enable_wal()


@migrations()
def m002_orders(database: Database) -> None:
    for statement in (
        """
        CREATE TABLE users (
            user_id TEXT PRIMARY KEY,
            created_at TEXT NOT NULL,
            made INTEGER NOT NULL,
            password_hash TEXT
        )
        """,
        # Two ids that differ only in case would share a folder on some file systems.
        "CREATE UNIQUE INDEX users_folder ON users (user_id COLLATE NOCASE)",
        """
        CREATE TABLE generations (
            generation_id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
            prompt TEXT NOT NULL,
            request TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('Processing', 'Completed', 'Failed', 'Cancelled')),
            error TEXT,
            requested_at TEXT NOT NULL,
            generated_at TEXT,
            detached INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            heartbeat_at TEXT,
            step TEXT
        )
        """,
        "CREATE INDEX generations_of_user ON generations (user_id, requested_at)",
        "CREATE INDEX generations_by_status ON generations (status, requested_at)",
        """
        CREATE TABLE items (
            generation_id TEXT NOT NULL REFERENCES generations ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('image', 'video')),
            number INTEGER NOT NULL,
            seed INTEGER NOT NULL,
            model TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('planned', 'done', 'failed')),
            path TEXT,
            parameters TEXT,
            checkpoint TEXT NOT NULL DEFAULT '{}',
            cost REAL,
            error TEXT,
            PRIMARY KEY (generation_id, kind, number)
        )
        """,
        """
        CREATE TABLE notices (
            id INTEGER PRIMARY KEY,
            generation_id TEXT NOT NULL REFERENCES generations ON DELETE CASCADE,
            channel TEXT NOT NULL,
            event TEXT NOT NULL CHECK (event IN ('completed', 'failed')),
            due_at TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'sending', 'sent', 'failed')),
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at TEXT,
            sent_at TEXT,
            error TEXT,
            claimed_by TEXT,
            lease_until TEXT,
            UNIQUE (generation_id, channel, event)
        )
        """,
        "CREATE INDEX notices_by_state ON notices (state, due_at)",
        """
        CREATE TABLE user_activity (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            user_id TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT,
            address TEXT,
            user_agent TEXT
        )
        """,
        "CREATE INDEX user_activity_of_user ON user_activity (user_id, at)",
        """
        CREATE VIEW user_content AS
        SELECT
            user_id,
            prompt,
            (SELECT json_group_array(path) FROM (SELECT path FROM items WHERE items.generation_id =
                generations.generation_id AND kind = 'video' AND state = 'done' ORDER BY number)) AS video_paths,
            (SELECT json_group_array(path) FROM (SELECT path FROM items WHERE items.generation_id =
                generations.generation_id AND kind = 'image' AND state = 'done' ORDER BY number)) AS image_paths,
            status,
            generated_at,
            generation_id
        FROM generations
        """,
    ):
        database.execute(statement)


@migrations()
def m003_links(database: Database) -> None:
    # The token itself is only in the notice: who reads the store, or a copy of it, cannot open anything.
    database.execute(
        """
        CREATE TABLE links (
            token_hash TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
            generation_id TEXT NOT NULL REFERENCES generations ON DELETE CASCADE,
            made_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            used_at TEXT
        )
        """
    )
    database.execute("CREATE INDEX notices_of_channel ON notices (state, channel, due_at)")
    database.execute("DROP INDEX notices_by_state")


@migrations()
def m004_sessions(database: Database) -> None:
    # As with links: the token is only in the browser's cookie.
    database.execute(
        """
        CREATE TABLE sessions (
            session_hash TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
            made_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            address TEXT,
            user_agent TEXT
        )
        """
    )
    database.execute("CREATE INDEX user_activity_by_action ON user_activity (action, at)")


@migrations()
def m005_search(database: Database) -> None:
    # By the order's own id: the row ids of `generations` may change when the database is vacuumed.
    for statement in (
        """
        CREATE VIRTUAL TABLE prompts USING fts5(
            prompt, generation_id UNINDEXED, tokenize = 'unicode61 remove_diacritics 2'
        )
        """,
        "INSERT INTO prompts (prompt, generation_id) SELECT prompt, generation_id FROM generations",
        """
        CREATE TRIGGER prompts_added AFTER INSERT ON generations BEGIN
            INSERT INTO prompts (prompt, generation_id) VALUES (new.prompt, new.generation_id);
        END
        """,
        """
        CREATE TRIGGER prompts_removed AFTER DELETE ON generations BEGIN
            DELETE FROM prompts WHERE generation_id = old.generation_id;
        END
        """,
    ):
        database.execute(statement)


@migrations()
def m006_pace(database: Database) -> None:
    database.execute("ALTER TABLE items ADD COLUMN seconds REAL")


@migrations()
def m007_jobs(database: Database) -> None:
    # JSON: the jobs of an item, by the part of it that each makes.
    database.execute("ALTER TABLE items ADD COLUMN job TEXT NOT NULL DEFAULT '{}'")


@migrations()
def m008_costs(database: Database) -> None:
    # What erased orders and items have cost stays in `spending`; of an erased user without the name. Foreign keys
    # delete a child after its parent: then the parent's own trigger has written it already.
    paid = "SELECT coalesce(sum(json_extract(job.value, '$.cost')), 0) FROM"
    for statement in (
        "ALTER TABLE generations ADD COLUMN price REAL",
        "ALTER TABLE generations ADD COLUMN reserved_at TEXT",
        "UPDATE generations SET price = 0",  # nothing was paid before
        """
        CREATE TABLE spending (
            at TEXT NOT NULL,
            user_id TEXT REFERENCES users ON DELETE SET NULL,
            amount REAL NOT NULL
        )
        """,
        f"""
        CREATE TRIGGER orders_erased BEFORE DELETE ON generations BEGIN
            INSERT INTO spending SELECT coalesce(old.reserved_at, old.requested_at),
                (SELECT user_id FROM users WHERE user_id = old.user_id),
                ({paid} items, json_each(items.job) AS job WHERE items.generation_id = old.generation_id);
            DELETE FROM spending WHERE amount = 0;
        END
        """,
        f"""
        CREATE TRIGGER items_erased BEFORE DELETE ON items BEGIN
            INSERT INTO spending SELECT coalesce(reserved_at, requested_at), user_id,
                ({paid} json_each(old.job) AS job) FROM generations WHERE generation_id = old.generation_id;
            DELETE FROM spending WHERE amount = 0;
        END
        """,
    ):
        database.execute(statement)


@migrations()
def m009_waiting(database: Database) -> None:
    # When a worker looks again at an order that only waits for jobs at a provider. Of erased orders, jobs whose cost is
    # not known count with their price.
    database.execute("ALTER TABLE generations ADD COLUMN collect_at TEXT")
    # JSON: the settings that limit what it may cost, by which it was placed.
    database.execute("ALTER TABLE generations ADD COLUMN budgets TEXT NOT NULL DEFAULT '[]'")
    committed = (
        "SELECT coalesce(sum(coalesce(json_extract(job.value, '$.cost'), json_extract(job.value, '$.price'))), 0) FROM"
    )
    for statement in (
        "DROP TRIGGER orders_erased",
        "DROP TRIGGER items_erased",
        f"""
        CREATE TRIGGER orders_erased BEFORE DELETE ON generations BEGIN
            INSERT INTO spending SELECT coalesce(old.reserved_at, old.requested_at),
                (SELECT user_id FROM users WHERE user_id = old.user_id),
                ({committed} items, json_each(items.job) AS job WHERE items.generation_id = old.generation_id);
            DELETE FROM spending WHERE amount = 0;
        END
        """,
        f"""
        CREATE TRIGGER items_erased BEFORE DELETE ON items BEGIN
            INSERT INTO spending SELECT coalesce(reserved_at, requested_at), user_id,
                ({committed} json_each(old.job) AS job) FROM generations WHERE generation_id = old.generation_id;
            DELETE FROM spending WHERE amount = 0;
        END
        """,
    ):
        database.execute(statement)


@migrations()
def m010_invitations(database: Database) -> None:
    # As with links, only the hash of the token is kept.
    database.execute("CREATE TABLE invitations (token_hash TEXT PRIMARY KEY, expires_at TEXT NOT NULL)")


@migrations()
def m011_sessions_of_links(database: Database) -> None:
    # The one order that a session opens, if a link in a notification began it. It ends with the order.
    database.execute("ALTER TABLE sessions ADD COLUMN generation_id TEXT REFERENCES generations ON DELETE CASCADE")


@migrations()
def m012_addresses(database: Database) -> None:
    # Mail addresses of web users, and the tokens that confirm them, of which as with links only the hash is kept. Mails
    # wait `unconfirmed`, and one of the event `confirm` asks. SQLite cannot change the checks of a table, so it is made
    # anew.
    for statement in (
        """
        CREATE TABLE addresses (
            user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
            address TEXT NOT NULL COLLATE NOCASE,
            asked_at TEXT NOT NULL,
            confirmed_at TEXT,
            PRIMARY KEY (user_id, address)
        )
        """,
        """
        CREATE TABLE confirmations (
            token_hash TEXT PRIMARY KEY,
            user_id TEXT NOT NULL,
            address TEXT NOT NULL COLLATE NOCASE,
            expires_at TEXT NOT NULL,
            FOREIGN KEY (user_id, address) REFERENCES addresses ON DELETE CASCADE
        )
        """,
        """
        CREATE TABLE new_notices (
            id INTEGER PRIMARY KEY,
            generation_id TEXT NOT NULL REFERENCES generations ON DELETE CASCADE,
            channel TEXT NOT NULL,
            event TEXT NOT NULL CHECK (event IN ('completed', 'failed', 'confirm')),
            due_at TEXT NOT NULL,
            state TEXT NOT NULL
                CHECK (state IN ('unconfirmed', 'waiting', 'ready', 'sending', 'sent', 'failed')),
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at TEXT,
            sent_at TEXT,
            error TEXT,
            claimed_by TEXT,
            lease_until TEXT,
            UNIQUE (generation_id, channel, event)
        )
        """,
        """
        INSERT INTO new_notices SELECT id, generation_id, channel, event, due_at, state, attempts, next_at, sent_at,
            error, claimed_by, lease_until FROM notices
        WHERE generation_id IN (SELECT generation_id FROM generations)
        """,
        "DROP TABLE notices",
        "ALTER TABLE new_notices RENAME TO notices",
        "CREATE INDEX notices_of_channel ON notices (state, channel, due_at)",
    ):
        database.execute(statement)


@migrations()
def m013_workload(database: Database) -> None:
    # What web orders were expected to take when they were placed. It stays when an order is erased.
    database.execute(
        """
        CREATE TABLE workload (
            generation_id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
            ordered_at TEXT NOT NULL,
            seconds REAL NOT NULL,
            bytes INTEGER NOT NULL
        )
        """
    )
    database.execute("CREATE INDEX workload_of_user ON workload (user_id, ordered_at)")
