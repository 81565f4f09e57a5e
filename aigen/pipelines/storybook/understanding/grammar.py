"""The grammar of a prompt: phrases read from left to right become things with counts, colours, relations and actions.

Modifiers wait for their noun, relations and verbs for their object; what is said is said of the sentence's subject.
"""

from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from aigen.pipelines.storybook.understanding import vocabulary
from aigen.pipelines.storybook.understanding.phrases import SEPARATORS, Token, is_being, tokens
from aigen.pipelines.storybook.understanding.vocabulary import tables

COUNT_LIMIT = 24
# How many a plural without a number is.
PLURAL = 3
_SELVES = frozenset(["it", "him", "her", "them", "itself"])
_BEFORE_NOUNS = ("thing", "color", "size", "count", "skip", "verb")
_LINKS = frozenset(["is", "are", "was", "were", "painted", "colored", "coloured", "all"])


@dataclass
class Draft:
    """A thing while it is being read."""

    name: str
    text: str
    count: int
    color: str | None
    size: str
    relation: dict[str, str] | None = None
    action: str | None = None


@dataclass
class Reader:
    """Reads tokens from left to right and keeps what has been understood."""

    things: list[Draft] = field(default_factory=list)
    scene: dict[str, list[str]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    symbols: list[Token] = field(default_factory=list)

    # What the words so far have left open
    count: int | None = None
    color: str | None = None
    size: str = "normal"
    definite: bool = False
    negated: bool = False
    subject: Draft | None = None
    last: Draft | None = None
    pending: tuple[str, Draft | None] | None = None
    fronted: tuple[str, Draft | str] | None = None
    verb: str | None = None
    waiting_action: str | None = None
    object_next: bool = False
    urged: bool = False
    linked: bool = False
    possessive: bool = False
    stressed: bool = False  # "inside", which is meant even of what seems not hollow
    others: list[tuple[int | None, str]] = field(default_factory=list)  # "a red and a blue" ball
    fellows: list[Draft] = field(default_factory=list)  # subjects joined by "and", of which a relation is said too

    def read(self, words: list[str]) -> None:
        found = list(tokens(words))
        for token, following in zip_longest(found, found[1:]):
            self._take(token, following)
        self._end_clause()

    def read_translated(self, words: list[str], table: dict[str, Any]) -> None:
        """Find things and scenery in another language, without its grammar."""
        count: int | None = None
        named: Draft | None = None  # the thing of the phrase before, which a colour behind it belongs to
        at = 0
        while at < len(words):
            before, named = named, None
            for length in range(min(4, len(words) - at), 0, -1):
                phrase = " ".join(words[at : at + length])
                if phrase in table["things"] or phrase in table["scene"] or phrase in table["words"]:
                    break
            if phrase in table["words"] and phrase not in table["scene"]:
                meaning = table["words"][phrase]
                count = meaning if isinstance(meaning, int) else count
                if before and meaning in tables.COLOURS:  # "un gato rojo"
                    before.color = before.color or meaning
                elif meaning in tables.COLOURS:
                    self.color = meaning
            elif phrase in table["scene"]:
                for name, value in table["scene"][phrase]:
                    self.scene.setdefault(name, []).append(value)
            elif phrase in table["things"]:
                name = table["things"][phrase]
                if name not in [thing.name for thing in self.things]:
                    named = Draft(name, phrase, min(COUNT_LIMIT, count or 1), self.color, "normal")
                    self.things.append(named)
                self.color, count = None, None
            elif phrase not in SEPARATORS:
                self.unmatched.append(phrase)
            at += length

    def _take(self, token: Token, following: Token | None) -> None:
        match token.kind:
            case "count":
                self.count = token.value if token.value > 1 else self.count or token.value
            case "color":
                if self.last and self.linked:  # "the car is red"
                    self.last.color = self.last.color or token.value
                elif following and following.kind in (*_BEFORE_NOUNS, "and", "separator"):
                    self.color = self.color or token.value
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
                self._set_color_aside()
            case "separator":
                if token.text == "," and self.color and self.count is not None:  # "a red, a blue and a green balloon"
                    self._set_color_aside()
                else:
                    self._end_clause()
            case "scene":
                self._set_scene(token, following)
            case "symbol":
                # One word is an idea only where it stands for itself: not in "time for a walk".
                if (
                    " " in token.text
                    or following is None
                    or (
                        following.kind in ("separator", "and", "verb", "holding")
                        and self.count is None
                        and not self.definite
                    )
                ):
                    self.symbols.append(token)
                self._forget_modifiers()
            case "thing":
                self._meet(token, following)
            case "unknown":
                self.unmatched.append(token.text)
                self._forget_modifiers()
            case "skip":
                self.negated = self.negated and token.text == "any"
                if token.text in _SELVES or (self.possessive and token.text in tables.BODY):
                    self._relate_to_subject()
        self.urged = self.urged or token.kind in ("verb", "holding")
        self.linked = token.text in _LINKS
        self.possessive = token.text in ("its", "his", "her", "their")

    def _set_color_aside(self) -> None:
        """A colour whose noun is still to come, behind another colour."""
        if self.color:
            self.others.append((self.count, self.color))
            self.count, self.color = None, None

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

    def _act(self, verb: str, following: Token | None) -> None:
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

    def _set_scene(self, token: Token, following: Token | None) -> None:
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

    def _meet(self, token: Token, following: Token | None) -> None:
        describes = not is_being(token.value) or token.text in tables.KIN
        if describes and following is not None and following.kind == "thing":
            return  # "apple tree", "mother duck": the last noun is the thing
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
            if self.verb in tables.CROSSING and thing.name in tables.CROSSED:
                self._set_relation(self.subject, "on", thing)
            elif self.verb in tables.VERB_RELATIONS:
                self._set_relation(self.subject, tables.VERB_RELATIONS[self.verb], thing)
            is_object = True
        elif self.object_next:
            is_object = True
            self._put_on(thing)
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

    def _put_on(self, thing: Draft) -> None:
        """A snowman "wearing" a hat, a fox "with" a crown: the hat is on the snowman."""
        if self.subject and thing.name in tables.WORN and thing.relation is None:
            thing.relation = {"kind": "on", "to": self.subject.name}

    def _set_relation(self, owner: Draft, kind: str, target: Draft) -> None:
        if kind == "inside" and target.name in tables.WORN and target.relation is None:  # "a cat in a top hat"
            target.relation = {"kind": "on", "to": owner.name}
            return
        if kind == "inside" and not self.stressed and target.name not in tables.HOLLOW:
            return
        for one in [owner, *(self.fellows if owner is self.subject else [])]:
            if one.relation is None and one is not target:
                one.relation = {"kind": kind, "to": target.name}

    def _known(self, token: Token) -> Draft | None:
        """The thing that has been mentioned before, if this is a word for it again."""
        if not self.definite or self.count not in (None, 1) or self.color:
            return None
        return next((thing for thing in self.things if thing.name == token.value), None)

    def _new(self, token: Token) -> Draft:
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

    def _count(self, token: Token) -> int:
        if self.count in (None, 1):  # "a pile of books" has been counted; "a glasses" has not
            return PLURAL if token.plural else 1
        assert self.count
        return self.count

    def _draft(self, token: Token, count: int, color: str | None) -> Draft:
        for thing in self.things:
            if (thing.name, thing.color, thing.size) == (token.value, color, self.size):
                if thing.text == token.text or is_being(token.value):  # else one picture stands for both: sofa, lamp
                    thing.count = min(COUNT_LIMIT, thing.count + count)
                return thing
        self.things.append(Draft(token.value, token.text, min(COUNT_LIMIT, count), color, self.size))
        return self.things[-1]

    def is_saying(self) -> bool:
        """Whether the words ask for nothing that could be drawn, and yet say to do something."""
        return self.urged and not (self.things or self.scene or self.absent or self.unmatched or self.symbols)


def _color_in(token: Token) -> str | None:
    """The colour that a name of two words begins with, as in "red apple"."""
    meaning = vocabulary.modifiers().get(token.text.split(" ")[0])
    return meaning[1] if meaning and meaning[0] == "color" and " " in token.text else None
