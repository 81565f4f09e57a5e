"""A narrated film: a text becomes scenes that are spoken, drawn, captioned and put together in one MP4.

narrator    the pipeline
production  has the modules below do their part, in their order
script      a text to scenes: sentences, how many scenes, what each shows
speech/     sentences, how figures are read, which language it is, the voices
plan        the nouns: Line, Shot, Film, and Planes, the one form that every frame has
shots       frames: stills before a moving camera, drawn frames, and the fades between shots
captions    what is said, cut to readable captions: their times, their files
burning     captions drawn, and laid over frames
music       any sound decoded in a stream; music looped without a seam
sound       speech and music mixed, the music ducked, all at one loudness
writing     the file
"""
