"""The web gallery: register, log in, order, watch, download; every page works without JavaScript.

app         the application: who may do what, headers, errors
visits      who is asking: sessions, forms that are really ours, throttling, the log
accounts    register, log in, log out, open the link of a notice
pages       landing, gallery, one video, one's own log
orders      order, cancel, try again, delete; progress for scripts
media       files, thumbnails, archives
server      serving it, with a worker and notices beside it
"""
