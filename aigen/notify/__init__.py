"""Telling the user, at the time it is due, that an order is ready or has failed.

    messages    what a notice says, and the link in it
    channels    whom to reach and how: terminal, desktop, mail, services (Apprise)
    delivery    sending what is due: claimed, tried again, never twice
    daemon      delivering for as long as it runs, and the units that start it

The store is the schedule and the queue: whoever looks at it when something is due sends it.
"""
