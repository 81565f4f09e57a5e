"""Files of pictures and videos: encoded, described, and given their final names only when they are whole.

encoding    PNG and MP4
thumbnails  small copies of both, and the captions that lie beside a film
provenance  what a file says about itself: written and read
foreign     what other programs write into their files
uploads     pictures that users bring, checked by decoding
"""
