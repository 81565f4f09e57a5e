"""The nouns of the program, frozen dataclasses that know nothing of files, database or models.

request   what can be asked for: an order's request and its parts
styles    the styles that can be asked for
seen      what is seen in a picture
pipeline  what a pipeline gets and gives
rows      orders, items and notices, as the store keeps them
reports   what is reported of an order while it is made

Times are ISO 8601, UTC, seconds.
"""
