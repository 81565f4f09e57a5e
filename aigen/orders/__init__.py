"""The use case: an order becomes items, files and rows, and survives whatever happens meanwhile.

placing    an order is checked, resolved and written
lifecycle  it is run, resumed and cancelled
items      its items are made, marked, named and recorded
run        what a pipeline may call while it makes them
tasks      what a pipeline is to make of an order
source     the user's picture that an order starts from
context    the dependencies of an order, and its heartbeat
worker     makes the orders that nobody waits for
status     where orders stand
deletion   items, orders and users are erased
reorder    what a file says about itself becomes a request again
"""
