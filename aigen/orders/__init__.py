"""The use case: an order becomes items, files and rows, and survives whatever happens meanwhile.

reorder   what a file says about itself becomes a request again
"""
