"""What a text is written in, so that an English voice is not made to read French."""

import re
from collections import Counter

from aigen.errors import UsageError
from aigen.film.speech.reading import says_something, script_of, spoken
from aigen.film.speech.sentences import paragraphs
from aigen.film.speech.voices import voice
from aigen.wording import shortened

# The commonest small words and greetings of each language, also those it shares with another: the most hits win.
_SMALL_WORDS = {
    "English": "the of and to a in is it that was he she for on are as with his her they at be this have from or had "
    "by not but what all were "
    "we when your can said there an which their if will up out about who so them "
    "then him would has more no my me you i one our do its "
    "into over after before down only some could where how just once upon "
    "never every under until old little day good now "
    "hello hi hey goodbye bye yes please thanks thank welcome here don't it's i'm didn't let's wasn't isn't did does "
    "been am us why die war man hat also",
    "German": "der die das und ist nicht ein eine einen einem einer eines zu den dem des von mit auf für im in sich es "
    "er sie wir ihr ich du "
    "auch als an nach wie war aus bei hat dass wenn nur noch über aber sind werden wird "
    "einmal sein seine kein keine mir mich dich uns so da "
    "wo was wer zum zur durch vor dann doch haben guten morgen tag abend hallo danke bitte ja nein schläft welt",
    "French": "le la les un une des du de et est en que qui dans pour pas sur au aux avec il elle ils nous vous je tu "
    "ne ce cette ces son sa ses "
    "se plus par mais ou où comme sont était c'est j'ai qu'il fait tout "
    "très bien fut leur mon ma mes à être avait jour "
    "bonjour bonsoir l' d' j' t' m' qu' n' s' c' merci salut oui non voilà monde quand fois",
    "Spanish": "el la los las un una unos de del que y en es no se por con su sus para al lo como más pero le ya o "
    "este esta sí muy sin sobre "
    "era fue había cuando todo ella yo tú mi tu está son donde vez hola gracias "
    "adiós buenos buenas días cómo estás qué señor",
    "Italian": "il lo la i gli le un una uno di del della dei delle che e è in per non si con da al alla nel nella "
    "sono era ma come più anche "
    "questo questa ha suo sua se mi ti ci io tu lui lei molto l' dell' un' c'era "
    "volta ciao buongiorno grazie buonasera tutti mondo a ad",
    "Portuguese": "o a os as um uma de do da dos das que e é em no na nos para por com não se mais como mas foi ao ele "
    "ela seu sua ou ser quando "
    "muito está eu também era havia vez olá obrigado obrigada bom dia você tudo bem mundo",
    "Dutch": "de het een en van ik te dat die in is niet op zijn was met voor aan er maar om hem dan zou of wat mijn "
    "ook als bij naar haar "
    "zij heeft hij wij uit nog eens deze door over hallo goedemorgen dank wereld slaapt",
    "Swedish": "och det att en ett är som på av för med den till inte har de om var jag han hon vi du sig så men från "
    "när hej tack god",
    "Danish": "og det at en et er som på af for med den til ikke har de om var jeg han hun vi du sig så men fra da hej "
    "tak god",
    "Polish": "i w na z się nie do to że jest jak po co za ale od był była o tak przez dla są już jego jej król żył "
    "sobie dzień dobry dziękuję cześć",
    "Turkish": "bir ve bu da de için ile çok ne var gibi daha o ben sen değil mi olarak sonra kadar merhaba "
    "teşekkürler",
    "Indonesian": "yang dan di ini itu dengan untuk tidak dari dalam akan pada ke adalah ada saya kamu dia mereka "
    "selamat pagi terima kasih",
    "Hindi": "hai aur ka ki ke ko mein nahi yeh woh tha thi kya",
}
_WORDS = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}
# The share of letters of another script, and of words in paragraphs of another language, that may stand in English.
_MOST_LETTERS, _MOST_WORDS = 0.1, 0.25


def check(text: str, name: str | None = None) -> None:
    """Raise UsageError, in one line, unless this voice can speak the text."""
    speaker = voice(name)
    if not says_something(text):
        raise UsageError("there is nothing to read in the text: give at least one word")
    if not speaker.english:
        return
    language = foreign(text)
    if language:
        raise UsageError(
            f"the text looks {language}, the voice {speaker.name} speaks English only "
            f"({shortened(' '.join(text.split()), 40)!r}): "
            "give it in English, or choose --voice piper:NAME or gtts:LANGUAGE"
        )


def foreign(text: str) -> str | None:
    """The language, or script, that a text is in if it is evidently not English."""
    letters = [letter for letter in text if letter.isalpha()]
    scripts = Counter(filter(None, map(script_of, letters)))
    if scripts and scripts.total() > _MOST_LETTERS * len(letters):
        return scripts.most_common(1)[0][0]
    counts: Counter[str] = Counter()
    total = 0
    for paragraph in paragraphs(text):
        words = [word for sentence in paragraph for word in _words_of(sentence)]
        total += len(words)
        language = _language(words)
        if language:
            counts[language] += len(words)
    if not counts or counts.total() <= _MOST_WORDS * total:
        return None
    return counts.most_common(1)[0][0]


def _words_of(text: str) -> list[str]:
    """The words in small letters, without names: what is written with a capital in the middle of a sentence."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", spoken(text).replace("’", "'"))
    common = [word for at, word in enumerate(words) if not at or word[0].islower()]
    return [word.lower() for word in (common if len(common) > 2 else words)]


def _language(words: list[str]) -> str | None:
    """The language of most of the small words, if that is not English and it is sure."""
    english = _WORDS["English"]
    own = {language: _hits(words, known - english) for language, known in _WORDS.items()}
    best = max(own, key=lambda language: own[language])
    if own[best]:
        known = _WORDS[best]
        varied = len({word for word in words if _known(word, known)}) > 1 or own[best] >= len(words) / 2
        if varied and own[best] > 2 * _hits(words, english - known) and _hits(words, known) >= len(words) / 5:
            return best
    return _by_vocabulary(words) if len(words) > 1 and not _hits(words, english) else None


def _hits(words: list[str], known: frozenset[str]) -> int:
    return sum(_known(word, known) for word in words)


def _known(word: str, known: frozenset[str]) -> bool:
    return word in known or word.partition("'")[0] + "'" in known


def _by_vocabulary(words: list[str]) -> str | None:
    """What the words for things say, where there are hardly any small ones."""
    from aigen.pipelines.storybook.understanding.plan import make_plan

    names = {"de": "German", "es": "Spanish", "fr": "French", "hi": "Hindi"}
    return names.get(make_plan(" ".join(words)).language or "en")
