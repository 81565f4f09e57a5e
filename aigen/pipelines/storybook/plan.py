"""Understanding: from the words of a prompt to a plan of the scene.

A prompt is cut into tokens (the longest phrase that the vocabulary knows, each with its meaning), which are then read from
left to right: modifiers wait for their noun, relations and verbs for their object, and a sentence's subject is what they
are said of. The words a plan is made of are a contract (`--plan --json`).
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from aigen.pipelines.storybook import artwork, vocabulary
from aigen.pipelines.storybook.vocabulary import tables

COUNT_LIMIT = 24
# How many a plural without a number is.
PLURAL = 3
PHRASE_LIMIT = 5
CAPTION_LIMIT = 80
STOP_WORDS = frozenset(
    """
    a about across after against ago all along already also always am among an and another any are as at away back be
    been being but can could did do does doing down during each every for from full had has have having he her here him
    his how i if in into is it its itself just like made make me more most much my near of off on only onto or other our
    out over own please scene show shows showing side so such than that the their them then there these they thing
    things this those through to together toward towards up us very via was we were what when where which while who
    whose will with would you your create generate draw paint image picture photo video film animation clip animated
    style realistic photorealistic detailed highly hd 4k 8k quality background foreground depicting featuring wall ground side corner front end middle center centre edge surface place kind top bottom part
    group lot number way left right both background depth bokeh light lighting render rendered artstation octane unreal engine
    mm lens award-winning masterpiece trending cyberpunk steampunk watercolor watercolour oil acrylic cartoon anime pixar
    disney low-poly isometric macro wide-angle close-up closeup shallow dof 3d uhd ultra resolution professional epic
    cinematic photography composition sharp focus vivid colors colours colorful feet head back body shell tail shoulder
    shoulders hand hands arm arms leg legs foot lap mouth eyes beak paw paws horizon
    """.split()
)
# Parts of somebody: what is on "its back" is on it.
BODY = frozenset(
    "back head shell body shoulder shoulders hand hands arm arms lap beak mouth paw paws tail nose wrist neck".split()
)
# Who a word before an animal makes of it, and no person of its own: a mother duck, a baby elephant.
KIN = frozenset("mother father mama papa mom dad baby parent brother sister adult newborn lone wild pet toy".split())
# Verbs that say only that something is there, or how it looks; and words that are no action of what they stand behind.
NO_ACTIONS = frozenset(
    "be have do make get go come let see look seem appear become show include feature contain depict need want wear hold "
    "carry bear surround fill cover center set place put use base face miss consist thank light call name say word "
    "tell mean bring take give like love up hat dress paint colour color trim top".split()
)
# Where a thing is usually seen: by its name, else its subgroup, else its group.
USUAL = {
    "animal-marine": "underwater", "transport-water": "open sea", "food-drink": "kitchen table", "dishware": "kitchen table",
    "objects": "studio", "game": "room", "transport-ground": "road", "place-building": "village", "award-medal": "stage",
    "musical-instrument": "stage", "rocket": "space", "flying-saucer": "space", "satellite": "space", "ringed-planet": "space",
    "astronaut": "space", "alien": "space", "airplane": "sky", "balloon": "sky", "helicopter": "sky", "parachute": "sky",
    "kite": "meadow", "penguin": "snow", "polar-bear": "snow", "camel": "desert", "two-hump-camel": "desert", "cactus": "desert",
    "spouting-whale": "open sea", "whale": "underwater", "seal": "beach", "crab": "beach", "household": "room",
    "plant-flower": "garden", "duck": "lake", "swan": "lake", "frog": "lake", "snowman": "snow", "snowman-without-snow": "snow",
    "sled": "snow", "skier": "snow", "snowboarder": "snow", "skis": "snow", "person-surfing": "beach", "umbrella-on-ground": "beach",
    "person-climbing": "mountains", "tractor": "farm", "cow": "farm", "pig": "farm", "chicken": "farm", "rooster": "farm", "ewe": "farm",
    "farmer": "farm", "gardener": "garden", "lighthouse": "open sea", "person-merpeople": "open sea", "cowboy": "desert", "shepherd": "meadow", "pirate": "open sea", "monkey": "jungle", "parrot": "jungle", "gorilla": "jungle", "orangutan": "jungle", "tiger": "jungle",
    "bus": "city street", "taxi": "city street", "police-car": "city street", "fire-engine": "city street", "tram": "city street",
    "ambulance": "city street", "traffic-light": "city street", "deer": "forest", "owl": "forest", "fox": "forest", "wolf": "forest",
    "bear": "forest", "hedgehog": "forest", "mushroom": "forest", "racing-car": "road", "teddy-bear": "room",
    "couch-and-lamp": "room", "bed": "room", "books": "room", "person-swimming": "open sea", "lion": "meadow", "comet": "space",
    "water-wave": "open sea", "fireplace": "room", "campfire": "forest", "satellite-antenna": "planet surface", "singer": "stage", "woman-dancing": "stage", "man-dancing": "stage", "performing-arts": "stage",
    "eagle": "sky", "cloud": "sky", "shooting-star": "sky", "person-rowing-boat": "lake", "canoe": "lake", "lotus": "lake",
    "office-building": "skyline", "cityscape": "skyline", "fireworks": "skyline", "castle": "meadow", "snow-capped-mountain": "mountains",
    "volcano": "mountains", "camping": "forest", "tent": "forest", "santa-claus": "snow", "christmas-tree": "room",
}  # fmt: skip
# Things that tell the time of day or the season by being there.
TIME_OF = {
    "full-moon": "night", "crescent-moon": "night", "fireworks": "night", "shooting-star": "night", "owl": "night",
    "star": "night", "glowing-star": "night", "ghost": "night", "comet": "night", "milky-way": "night", "bridge-at-night": "night",
}  # fmt: skip
SEASON_OF = {
    "jack-o-lantern": "autumn", "maple-leaf": "autumn", "fallen-leaf": "autumn", "snowman-without-snow": "winter",
    "snowman": "winter", "christmas-tree": "winter", "santa-claus": "winter", "cherry-blossom": "spring", "sled": "winter",
}  # fmt: skip
_WORDS = re.compile(r"[^\W_][\w\u0300-\u036f\u0900-\u0dff]*(?:['’-][^\W_]+)*|[.,;:!?()\"“”]", re.UNICODE)
_BEFORE_VERBS = frozenset(
    "to can will they we i you people children and never always not just don't let's , . : !".split()
)
_SELVES = frozenset(["it", "him", "her", "them", "itself"])
_LINKS = frozenset(["is", "are", "was", "were", "painted", "colored", "coloured", "all", "in"])
_SEPARATORS = frozenset('.,;:!?()"“”')
# What people tell a generative model about the craft, not about the scene.
_CRAFT = re.compile(
    r"\b(award[- ]winning|trending on \w+|\d+ ?(mm|k|fps|p)\b( lens)?|(shallow )?depth of field|(highly|ultra|very)[- ](detailed|realistic)|"
    r"(unreal|octane) (engine|render)( \d+)?|rule of thirds|golden ratio|wide[- ]angle|close[- ]up|bird's[- ]eye view|in the style of [\w ]+)",
    re.IGNORECASE,
)
_SHORT = re.compile(r"(^|[^aeiou])[aeiou][^aeiouwxy]$")  # a stem that would double its last letter before -ing
_QUOTED = re.compile(r"[\"“”]([^\"“”]{2,%d})[\"“”]" % CAPTION_LIMIT)  # noqa: UP031


@dataclass(frozen=True)
class Thing:
    """One entry of a plan: `count` times the picture `name`."""

    name: str
    count: int = 1
    color: str | None = None
    size: str = "normal"
    relation: dict[str, str] | None = None
    action: str | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be drawn; `absent` are pictures that must not be. `language` is that of the prompt, if it could be read."""

    setting: str
    time: str
    season: str | None
    weather: str
    mood: str | None
    caption: str | None
    objects: tuple[Thing, ...]
    unmatched: tuple[str, ...]
    absent: tuple[str, ...] = ()
    language: str | None = "en"

    def as_json(self) -> dict[str, Any]:
        plan = {**asdict(self), "objects": [asdict(thing) for thing in self.objects]}
        return {**plan, "unmatched": list(self.unmatched), "absent": list(self.absent)}


@lru_cache(maxsize=16)
def make_plan(prompt: str) -> Plan:
    """The scene that a prompt asks for, as far as it is understood. Any text gives a plan."""
    prompt = _CRAFT.sub(" ", prompt)
    words = _WORDS.findall(prompt.lower().replace("’", "'"))
    language = _language(words)
    reader = _Reader()
    quoted = _QUOTED.search(prompt)
    if language not in (None, "en"):
        reader.read_translated(words, vocabulary.translations()[language])
    else:
        reader.read(words if not quoted else _WORDS.findall(_QUOTED.sub(" ", prompt).lower().replace("’", "'")))
        if not quoted and 2 <= len(words) <= 10 and reader.found_nothing():  # a saying: "never stop dreaming"
            reader.symbols.append(_Token("symbol", vocabulary.symbols()["motivation"], " ".join(prompt.split())))
    return reader.plan(quoted[1].strip() if quoted else None, language)


def _language(words: list[str]) -> str | None:
    """The language in which most of the words mean something; None where none does, English where it is even."""
    letters = [word for word in words if word not in _SEPARATORS]
    english = sum(_means_something(word) for word in letters)
    if not letters or english * 2 > len(letters):
        return "en"
    scores = {
        name: sum(word in table["things"] or word in table["scene"] or word in table["words"] for word in letters)
        for name, table in vocabulary.translations().items()
    }
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > english:
        return best
    return "en" if english or all(word.isascii() for word in letters) else None


def _means_something(word: str) -> bool:
    return (
        word in STOP_WORDS
        or word in vocabulary.modifiers()
        or word in vocabulary.scenery()
        or word in vocabulary.relations()
        or word in vocabulary.known()
        or any(single in vocabulary.things() for single, _ in _singulars(word))
        or _verb(word) is not None
    )


@dataclass(frozen=True)
class _Token:
    """A phrase and its meaning: `kind` is what sort of, `value` which."""

    kind: str
    value: Any
    text: str
    plural: bool = False


@dataclass
class _Draft:
    """A thing while it is being read."""

    name: str
    text: str
    count: int
    color: str | None
    size: str
    relation: dict[str, str] | None = None
    action: str | None = None


@dataclass
class _Reader:
    """Reads tokens from left to right and keeps what has been understood."""

    things: list[_Draft] = field(default_factory=list)
    scene: dict[str, list[str]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    symbols: list[_Token] = field(default_factory=list)

    # What the words so far have left open
    count: int | None = None
    color: str | None = None
    size: str = "normal"
    definite: bool = False
    negated: bool = False
    subject: _Draft | None = None
    last: _Draft | None = None
    pending: tuple[str, _Draft | None] | None = None
    fronted: tuple[str, _Draft | str] | None = None
    verb: str | None = None
    waiting_action: str | None = None
    object_next: bool = False
    linked: bool = False
    possessive: bool = False
    stressed: bool = False  # "inside", which is meant even of what seems not hollow
    others: list[tuple[int | None, str]] = field(default_factory=list)  # "a red and a blue" ball
    fellows: list[_Draft] = field(default_factory=list)  # subjects joined by "and", of which a relation is said too

    def read(self, words: list[str]) -> None:
        tokens = list(_tokens(words))
        for at, token in enumerate(tokens):
            following = tokens[at + 1] if at + 1 < len(tokens) else None
            self._take(token, following)
        self._end_clause()

    def read_translated(self, words: list[str], table: dict[str, Any]) -> None:
        """Find things and scenery in another language, without its grammar."""
        count: int | None = None
        at = 0
        while at < len(words):
            for length in range(min(4, len(words) - at), 0, -1):
                phrase = " ".join(words[at : at + length])
                if phrase in table["things"] or phrase in table["scene"] or phrase in table["words"]:
                    break
            if phrase in table["words"] and phrase not in table["scene"]:
                meaning = table["words"][phrase]
                count = meaning if isinstance(meaning, int) else count
                self.color = meaning if meaning in tables.COLOURS else self.color
            elif phrase in table["scene"]:
                for name, value in table["scene"][phrase]:
                    self.scene.setdefault(name, []).append(value)
            elif phrase in table["things"]:
                name = table["things"][phrase]
                if name not in [thing.name for thing in self.things]:
                    self.things.append(_Draft(name, phrase, count or 1, self.color, "normal"))
                self.color, count = None, None
            elif phrase not in _SEPARATORS:
                self.unmatched.append(phrase)
            at += length

    def _take(self, token: _Token, following: _Token | None) -> None:
        match token.kind:
            case "count":
                self.count = token.value if token.value > 1 else self.count or token.value
            case "color":
                if following and following.kind in ("thing", "color", "size", "count", "skip", "and", "verb"):
                    self.color = self.color or token.value
                elif self.last and self.linked:  # "the car is red"
                    self.last.color = self.last.color or token.value
            case "size":
                self.size = token.value
            case "the":
                self.definite = True
            case "negation":
                self.negated = True
            case "relation":
                self._relate(token.value, token.text)
            case "verb":
                self._act(token.value, following)
            case "with" | "holding":
                self.object_next, self.verb, self.pending = True, None, None
                self.negated = self.negated and token.kind == "holding"  # "not wearing a hat"
            case "and":
                if self.color:
                    self.others.append((self.count, self.color))
                    self.count, self.color = None, None
            case "separator":
                self._end_clause()
            case "scene":
                self._set_scene(token, following)
            case "symbol":
                self.symbols.append(token)
                self._forget_modifiers()
            case "thing":
                self._meet(token, following)
            case "unknown":
                self.unmatched.append(token.text)
                self._forget_modifiers()
            case "skip":
                self.negated = self.negated and token.text == "any"
                if token.text in _SELVES or (self.possessive and token.text in BODY):
                    self._relate_to_subject()
        self.linked = token.text in _LINKS
        self.possessive = token.text in ("its", "his", "her", "their")

    def _end_clause(self) -> None:
        """At a comma or full stop: what waited for its object waits no more."""
        self.negated, self.pending, self.verb, self.object_next = False, None, None, False
        self.others = []
        self._forget_modifiers()

    def _forget_modifiers(self) -> None:
        self.count, self.color, self.size, self.definite = None, None, "normal", False

    def _relate(self, kind: str, text: str) -> None:
        self.stressed = text in ("inside", "inside of", "within")
        owner = self.subject
        if owner is not None and owner.relation is not None:
            owner = self.last
        if owner is None:
            self.pending = (kind, None)
        else:
            self.pending = (kind, owner)
        self.negated = False
        self.object_next, self.verb = False, None
        self._forget_modifiers()

    def _relate_to_subject(self) -> None:
        """A dog "with a bird on its back", a laptop "with a mug beside it"."""
        if self.pending and self.subject and self.last and self.last is not self.subject:
            self.stressed = True
            self._set_relation(self.last, self.pending[0], self.subject)
        self.pending = None

    def _act(self, verb: str, following: _Token | None) -> None:
        before_noun = following is not None and following.kind in ("thing", "color", "size")
        if before_noun and (self.count is not None or self.definite or self.last is None or self.pending):
            self.waiting_action = verb  # "a flying dragon"
            return
        if self.last is not None and not (self.fronted and self.subject is None):
            actor = self.subject or self.last
            if actor.action is None:
                actor.action = verb
            elif self.last.action is None and self.last is not actor:
                self.last.action = verb
            self.verb = verb
        else:
            self.waiting_action = verb

    def _set_scene(self, token: _Token, following: _Token | None) -> None:
        for name, value in token.value:
            if not self.negated:
                self.scene.setdefault(name, []).append(value)
        if following is not None and following.kind in ("thing", "color", "size"):
            return  # "a snowy tree"
        if self.pending and not self.negated and any(name == "setting" for name, _ in token.value):
            kind, owner = self.pending
            picture = tables.SCENE_PICTURES.get(token.text)
            if picture and kind not in ("on", "inside"):
                self._meet(replace(token, kind="thing", value=picture), None)
                self.pending = None
                return
            if owner is None:
                self.fronted = (kind, token.text)
            elif kind not in ("on", "inside") and owner.relation is None:
                owner.relation = {"kind": kind, "to": token.text}
        self.pending = None
        self._forget_modifiers()

    def _meet(self, token: _Token, following: _Token | None) -> None:
        if following is not None and following.kind == "thing" and not _is_being(token.value):
            return  # "apple tree", "toy car": the last noun is the thing
        if following is not None and following.kind == "thing" and token.text in KIN:
            return
        if self.negated:
            self.absent.append(token.value)
            self._forget_modifiers()
            return
        thing = self._known(token) or self._new(token)
        action, self.waiting_action = self.waiting_action, None
        if action:
            thing.action = thing.action or action
        self._forget_modifiers()
        is_object = False
        if self.pending:
            kind, owner = self.pending
            if owner is None:
                self.fronted, is_object = (kind, thing), True
            elif owner is not thing:
                self._set_relation(owner, kind, thing)
                is_object = True
        elif self.verb and self.subject is not None and self.subject is not thing:
            if self.verb in tables.VERB_RELATIONS:
                self._set_relation(self.subject, tables.VERB_RELATIONS[self.verb], thing)
            is_object = True
        elif self.object_next:
            is_object = True
        if self.fronted and not is_object:
            kind, target = self.fronted
            if isinstance(target, str):
                if kind not in ("on", "inside"):
                    thing.relation = thing.relation or {"kind": kind, "to": target}
            else:
                self._set_relation(thing, kind, target)
            self.fronted = None
        self.pending, self.verb = None, None
        if not is_object:
            joined = self.subject is not None and self.last is self.subject and self.subject.action is None
            self.fellows = [*self.fellows, self.subject] if joined and self.subject else []
            self.subject, self.object_next = thing, False
        self.last = thing

    def _set_relation(self, owner: _Draft, kind: str, target: _Draft) -> None:
        if kind == "inside" and not self.stressed and target.name not in tables.HOLLOW:
            return
        for one in [owner, *(self.fellows if owner is self.subject else [])]:
            if one.relation is None and one is not target:
                one.relation = {"kind": kind, "to": target.name}

    def _known(self, token: _Token) -> _Draft | None:
        """The thing that has been mentioned before, if this is a word for it again."""
        if not self.definite or self.count not in (None, 1) or self.color:
            return None
        return next((thing for thing in self.things if thing.name == token.value), None)

    def _new(self, token: _Token) -> _Draft:
        """A new thing, or more of one there is already; of two colours, two things."""
        others, self.others = self.others, []
        if others and self.count is not None:  # "a red and a blue bird"
            for count, color in others:
                self._draft(token, count or 1, color)
        elif others:  # "red and white balloons"
            self.count, first = others[0]
            second, self.color = self.color, first
            count = self._count(token)
            if count > 1 and second:
                self._draft(token, count // 2, second)
                return self._draft(token, count - count // 2, first)
        return self._draft(token, self._count(token), self.color or _color_in(token))

    def _count(self, token: _Token) -> int:
        if self.count in (None, 1):  # "a pile of books" has been counted; "a glasses" has not
            return PLURAL if token.plural else 1
        assert self.count
        return self.count

    def _draft(self, token: _Token, count: int, color: str | None) -> _Draft:
        for thing in self.things:
            if (thing.name, thing.color) == (token.value, color) and not thing.relation:
                if thing.text == token.text or _is_being(token.value):  # else one picture stands for both: sofa, lamp
                    thing.count = min(COUNT_LIMIT, thing.count + count)
                return thing
        self.things.append(_Draft(token.value, token.text, min(COUNT_LIMIT, count), color, self.size))
        return self.things[-1]

    def found_nothing(self) -> bool:
        """Whether the words ask for nothing at all, and yet all are understood."""
        return not (self.things or self.scene or self.absent or self.unmatched or self.symbols)

    def plan(self, quoted: str | None, language: str | None) -> Plan:
        """What has been read, with what goes without saying."""
        caption, mood, setting = quoted, None, None
        if self.symbols and not quoted:
            caption = max((token.text for token in self.symbols), key=len)
            caption = caption[0].upper() + caption[1:]
        for token in self.symbols:
            pictures, usual, feeling = token.value
            if not self.things:
                self.things += [_Draft(name, name, 1, None, "normal") for name in pictures]
            setting, mood = setting or usual, mood or feeling
        objects = tuple(
            Thing(thing.name, thing.count, thing.color, thing.size, thing.relation, thing.action)
            for thing in self.things
        )
        names = [thing.name for thing in objects]
        words = [thing.text for thing in self.things]
        setting = self._first("setting", tables.SETTINGS) or _usual_setting(names, words) or setting or "meadow"
        return Plan(
            setting=setting,
            time=self._first("time", tables.TIMES)
            or next((TIME_OF[name] for name in names if name in TIME_OF), None)
            or "day",
            season=self._first("season", tables.SEASONS)
            or next((SEASON_OF[name] for name in names if name in SEASON_OF), None),
            weather=self._first("weather", tables.WEATHERS) or "clear",
            mood=self._first("mood", tables.MOODS) or mood,
            caption=caption,
            objects=objects,
            unmatched=tuple(dict.fromkeys(self.unmatched)),
            absent=tuple(dict.fromkeys(self.absent)),
            language=language,
        )

    def _first(self, name: str, table: dict[str, str]) -> str | None:
        """Of the values that were named for a field the one that stands first in its table."""
        return next((value for value in table if value in self.scene.get(name, ())), None)


def _tokens(words: list[str]) -> Iterator[_Token]:
    """The phrases of a prompt, the longest first, with their meanings."""
    at = 0
    while at < len(words):
        token, length = _token(words, at)
        yield token
        at += length


def _token(words: list[str], at: int) -> tuple[_Token, int]:
    if words[at] in _SEPARATORS:
        return _Token("separator", None, words[at]), 1
    for length in range(min(PHRASE_LIMIT, len(words) - at), 0, -1):
        part = words[at : at + length]
        if _SEPARATORS & set(part):
            continue
        phrase = " ".join(part)
        if phrase in vocabulary.symbols() and (length > 1 or not _is_thing_ahead(words, at)):
            return _Token("symbol", vocabulary.symbols()[phrase], phrase), length
        if phrase in tables.NEGATIONS:
            return _Token("negation", None, phrase), length
        if phrase in vocabulary.relations() and not (phrase == "in" and _next_is(words, at + 1, "scene")):
            return _Token("relation", vocabulary.relations()[phrase], phrase), length
        if found := _noun_or_scene(words, at, phrase, length):
            return found, length
        if phrase in vocabulary.modifiers() and _is_modifier(words, at, length):
            name, value = vocabulary.modifiers()[phrase]
            return _Token(name, value, phrase), length
    return _single(words, at), 1


def _noun_or_scene(words: list[str], at: int, phrase: str, length: int) -> _Token | None:
    before = words[at - 1] if at else ""
    counted = before.isdecimal() or (before in tables.NUMBERS and before not in ("a", "an", "some")) or before == "of"
    meaning = vocabulary.scenery().get(phrase)
    if meaning and not (counted and _thing(phrase)):
        return _Token("scene", meaning, phrase)
    if length == 1 and phrase in tables.MEASURES and words[at + 1 : at + 2] == ["of"]:
        return _Token("measure", None, phrase)
    if length == 1 and phrase.endswith("s") and phrase[:-1] in tables.MEASURES and words[at + 1 : at + 2] == ["of"]:
        return _Token("measure", None, phrase)
    if length == 1 and (phrase in STOP_WORDS or phrase in tables.NUMBERS):
        return None
    if length == 1 and phrase.endswith("s") and _verb(phrase) and at and _is_single_being(words[at - 1]):
        return None  # "a cat watches"
    if found := _thing(phrase):
        name, plural = found
        own = phrase in tables.SYNONYMS or name == phrase.replace(" ", "-")
        if (
            length > 1
            and not own
            and words[at] in vocabulary.modifiers()
            and _thing(" ".join(words[at + 1 : at + length]))
        ):
            return None  # a small boat is a boat that is small
        if length == 1 and phrase in tables.COLOURS_OR_THINGS and _is_modifier(words, at, 1):
            return None
        if length == 1 and phrase in vocabulary.modifiers() and phrase not in tables.COLOURS_OR_THINGS:
            return None
        if length == 1 and phrase not in tables.SYNONYMS and phrase in vocabulary.known() and _thing_at(words, at + 1):
            return None  # an adjective here
        return _Token("thing", name, phrase, plural)
    return None


def _is_single_being(word: str) -> bool:
    found = _thing(word) if word not in STOP_WORDS else None
    return found is not None and not found[1] and _is_being(found[0])


def _single(words: list[str], at: int) -> _Token:
    """A word that begins no phrase of the vocabulary."""
    word = words[at]
    if word.isdecimal():
        return _Token("count", max(1, int(word[:3])), word)
    if word == "with":
        return _Token("with", None, word)
    if word in ("and", "or", "&", "plus"):
        return _Token("and", None, word)
    if word in ("the", "its", "his", "her", "their", "this", "that"):
        return _Token("the", None, word)
    if word in STOP_WORDS or word in tables.MEASURES or len(word) == 1 or word.endswith("'s"):
        return _Token("skip", None, word)
    if (verb := _verb(word)) and (verb != word or _may_be_verb(words, at)):
        return _Token("verb", verb, word) if verb not in NO_ACTIONS else _Token("holding", None, word)
    if word in vocabulary.known() or word.endswith("ly") or word.endswith("ed"):
        return _Token("skip", None, word)
    return _Token("unknown", None, word)


def _may_be_verb(words: list[str], at: int) -> bool:
    """Whether a word that may be a noun too stands where a verb does: behind several, or behind "to"."""
    if at == 0:
        return True
    before = words[at - 1]
    return before in _BEFORE_VERBS or (before.endswith("s") and "'" not in before)


def _verb(word: str) -> str | None:
    """The verb of which this is the -ing form, the third person or the plain form."""
    verbs = vocabulary.verbs()
    if word.endswith("ing") and len(word) > 4:
        stem = word[:-3]
        if stem[-1] == stem[-2] and stem[:-1] in verbs and stem not in verbs:
            return stem[:-1]  # running
        if stem + "e" in verbs and (stem not in verbs or _SHORT.search(stem)):
            return stem + "e"  # riding
        return stem if stem in verbs else None
    for ending, instead in (("ies", "y"), ("es", ""), ("s", ""), ("", "")):
        if ending and not word.endswith(ending):
            continue
        choice = (word.removesuffix(ending) if ending else word) + instead
        if choice in verbs and len(choice) > 1:
            return choice
    return None


@lru_cache(maxsize=4096)
def _thing(phrase: str) -> tuple[str, bool] | None:
    """The picture that a phrase names, and whether the phrase is a plural."""
    things = vocabulary.things()
    if phrase in tables.SYNONYMS or phrase.replace(" ", "-") in artwork.index():
        return (things[phrase], False) if phrase in things else None
    for candidate, plural in sorted(_singulars(phrase), key=lambda entry: not entry[1]):
        if candidate in things and not candidate.isdecimal():
            return things[candidate], plural
    return None


def _thing_at(words: list[str], at: int) -> bool:
    """Whether a thing is named here, perhaps by several words."""
    if at >= len(words) or words[at] in _SEPARATORS:
        return False
    return any(
        _thing(" ".join(words[at : at + length])) is not None and words[at] not in STOP_WORDS
        for length in range(min(3, len(words) - at), 0, -1)
    )


def _is_thing_ahead(words: list[str], at: int) -> bool:
    """Whether a word stands before a noun, as in "music box"."""
    return _thing_at(words, at + 1)


def _next_is(words: list[str], at: int, kind: str) -> bool:
    while at < len(words) and words[at] in ("the", "a", "an"):
        at += 1
    if at >= len(words):
        return False
    return any(
        " ".join(words[at : at + length]) in vocabulary.scenery() for length in range(min(4, len(words) - at), 0, -1)
    )


def _is_modifier(words: list[str], at: int, length: int) -> bool:
    """Whether a colour, size or number belongs to a noun; a word that is a thing too does only before another noun."""
    if words[at] not in tables.COLOURS_OR_THINGS or length > 1:
        return True
    ahead = at + 1
    while (
        ahead < len(words) and words[ahead] not in {*STOP_WORDS, *vocabulary.scenery()} and not _thing_at(words, ahead)
    ):
        if words[ahead] not in vocabulary.modifiers() and words[ahead] not in vocabulary.known():
            return False
        ahead += 1
    return _thing_at(words, ahead) or " ".join(words[ahead : ahead + 1]) in vocabulary.scenery()


def _singulars(phrase: str) -> list[tuple[str, bool]]:
    """The phrase itself and what it may be the plural of."""
    found = [(phrase, False)]
    irregular = _IRREGULAR.get(phrase.rsplit(" ", 1)[-1])
    if irregular:
        found.append((" ".join([*phrase.split(" ")[:-1], irregular]), True))
    for ending, instead in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("oes", "o"), ("es", ""), ("s", "")):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2 and not phrase.endswith("ss"):
            found.append((phrase.removesuffix(ending) + instead, True))
    return found if not irregular else found[1:] + found[:1]


_IRREGULAR = {
    "mice": "mouse", "geese": "goose", "children": "child", "men": "man", "women": "woman", "people": "person", "oxen": "ox",
    "feet": "foot", "teeth": "tooth", "wolves": "wolf", "leaves": "leaf", "knives": "knife", "loaves": "loaf", "calves": "calf",
    "policemen": "policeman", "firemen": "fireman", "snowmen": "snowman", "cacti": "cactus", "octopi": "octopus", "fishermen": "fisherman",
    "elves": "elf", "kids": "kid", "fireflies": "firefly", "butterflies": "butterfly",
}  # fmt: skip


def _color_in(token: _Token) -> str | None:
    """The colour that a name of two words begins with, as in "red apple"."""
    meaning = vocabulary.modifiers().get(token.text.split(" ")[0])
    return meaning[1] if meaning and meaning[0] == "color" and " " in token.text else None


def _is_being(name: str) -> bool:
    """Whether a picture shows somebody, who is not a mere description of the next noun ("robot gardener")."""
    entry = artwork.index()[name]
    return entry["group"] == "people-body" or entry["subgroup"] in ("face-costume", "animal-mammal", "animal-bird")


def _usual_setting(names: list[str], words: list[str]) -> str | None:
    """Where these things are usually seen, by the words used for them or by their pictures; the first counts most.

    What flies or swims is seen where the others are, if they need ground under their feet.
    """
    places: list[str | None] = []
    for name, word in zip(names, words, strict=True):
        entry = artwork.index()[name]
        place = USUAL.get(word) or USUAL.get(name) or USUAL.get(entry["subgroup"])
        if not places and name == names[0]:
            place = place or USUAL.get(entry["group"])
        places.append(place)
    if any(artwork.index()[name]["subgroup"] == "transport-water" for name in names):
        return "open sea" if "lake" not in places else "lake"
    first = places[0] if places else None
    grounded = [place for place in places if place and place not in ("sky", "space", "underwater")]
    if first in ("sky", "space"):
        return next((place for place in grounded if place != "open sea"), first)
    return first or next(iter(grounded), None)


def with_boxes(plan: Plan, boxes: list[list[list[float]]]) -> dict[str, Any]:
    """The plan as JSON, each object with the boxes of its things in 0..1: left, top, right, bottom."""
    scene = plan.as_json()
    scene["objects"] = [{**thing, "boxes": found} for thing, found in zip(scene["objects"], boxes, strict=True)]
    return scene


def at_night(plan: Plan) -> Plan:
    """The plan by night, as the style of that name draws it."""
    return replace(plan, time="night")
