"""The store: sole reader and writer of the database.

One write is one method is one transaction, and a change of state is one UPDATE whose WHERE names the old state, so that
processes working side by side cannot undo each other. Methods that change a state return whether they did.

    database    opening, reading, writing in one transaction
    accounts    users, sessions, the log of what users do
    orders      orders: placed, run, ended
    addresses   mail addresses of web users, and whether they are confirmed
    items       what they are of
    jobs        the jobs of items at providers
    costs       what orders cost
    quotas      what one user may take
    notices     notices and the links in them
    integrity   whether the store is whole; what repairs a part of it
    hashing     passwords and tokens, of which only hashes are kept
    migrations  the schema, append-only
"""

from aigen.store.accounts import Accounts
from aigen.store.database import copy_store, is_writable
from aigen.store.integrity import Integrity
from aigen.store.items import Items
from aigen.store.notices import LONGEST_PAUSE, NOTICE_ATTEMPTS, NOTICE_LEASE, Notices
from aigen.store.orders import Orders

__all__ = ["LONGEST_PAUSE", "NOTICE_ATTEMPTS", "NOTICE_LEASE", "Store", "copy_store", "is_writable"]


class Store(Accounts, Orders, Items, Notices, Integrity):
    """All of it, on one connection."""
