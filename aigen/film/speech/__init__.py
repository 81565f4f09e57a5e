"""Speech: a text cut into sentences, read aloud by a voice of this machine or of another program.

`sentences` cuts and times, `reading` says how figures and signs are read, `languages` what a text is written in,
`voices` speak. A voice is named `hibari`, `piper` or `gtts`, with which of its voices after a colon:
`piper:de_DE-thorsten-medium`.
"""

from aigen.film.speech.languages import check
from aigen.film.speech.reading import seconds_of, spoken
from aigen.film.speech.sentences import paragraphs, pause_after, sentences
from aigen.film.speech.voices import CHOICES, Voice, voice

__all__ = ["CHOICES", "Voice", "check", "paragraphs", "pause_after", "seconds_of", "sentences", "spoken", "voice"]
