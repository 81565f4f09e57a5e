"""Casting: which rig a picture gets, by what it is, what it does and where it is."""

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import anatomy
from aigen.pipelines.storybook.drawing.bodies import has_body

# What the plan's verbs do, on the ground and in the air.
_VERBS = {
    "run": "run race chase gallop sprint rush hurry flee charge escape hunt dash follow pursue jog",
    "walk": "walk stroll march cross wander hike trot crawl explore come go travel approach enter leave pass return "
    "carry pull push",
    "jump": "jump leap hop bounce skip",
    "dance": "dance celebrate party play sing cheer laugh wave clap juggle perform conduct",
    "stand": "sit stand wait stay watch look pose guard lean face smile meet pray think",
    "sleep": "sleep rest nap doze dream snooze snore lie",
    "eat": "eat drink graze read write nod nibble feed sniff smell dig cook paint draw study work type peck water",
    "climb": "climb scale ascend",
    "spin": "spin rotate twirl whirl turn",
    "fall": "fall drop tumble descend plunge",
    "fly": "fly soar glide",
}
VERBS = {verb: rig for rig, verbs in _VERBS.items() for verb in verbs.split()}
_RACING = frozenset("race speed chase rush drive cross travel run dash hurry flee pass".split())
_PULSING = frozenset("octopus squid jellyfish lobster crab shrimp".split())
_OWN_WINGS = frozenset("dove eagle bat phoenix-bird wing".split())
_FOLDING = frozenset(["butterfly"])
_BUZZING = frozenset("honeybee fly mosquito beetle lady-beetle person-fairy man-fairy woman-fairy".split())
_LEGLESS = frozenset("snail snake worm bug seal microbe spider-web feather paw-prints".split())
_ROUND = frozenset("soccer-ball basketball volleyball baseball softball tennis pool-8-ball yo-yo ring-buoy".split())
BY_NAME = {
    "fire": "flame", "rocket": "launch", "balloon": "drift", "kite": "drift", "parachute": "drift", "bell": "swing",
    "red-paper-lantern": "swing", "wind-chime": "swing", "carp-streamer": "flag", "tornado": "dance",
    "helicopter": "hover", "flying-saucer": "hover", "satellite": "hover", "airplane": "hover", "ghost": "drift",
    "cyclone": "spin", "person-running": "run", "man-running": "run", "woman-running": "run", "person-walking": "walk",
    "man-walking": "walk", "woman-walking": "walk", "man-dancing": "dance", "woman-dancing": "dance",
    "person-climbing": "climb", "man-climbing": "climb", "woman-climbing": "climb", "person-surfing": "float",
    "person-swimming": "float", "person-rowing-boat": "float", "sparkler": "twinkle", "party-popper": "tremble",
    "confetti-ball": "tremble", "alarm-clock": "tremble",
}  # fmt: skip


def rig_for(name: str, action: str | None, where: str, free: bool = True) -> str:
    """The rig of a picture that does something `where`: on "ground", afloat on "water", in the "air", in the "deep".

    What is not `free` stands in a relation to something and stays there, unless it is said to do something.
    """
    entry = artwork.index()[name]
    group, subgroup = entry["group"] or "", entry["subgroup"] or ""
    alive = (group in ("animals-nature", "people-body") and not subgroup.startswith("plant")) or has_body(name)
    done = VERBS.get(action or "")
    if where == "deep":
        return "pulse" if name in _PULSING else "swim" if subgroup == "animal-marine" or alive else "still"
    if where == "water":
        return "sail" if subgroup == "transport-water" and action else "float"
    if where == "air":
        return _rig_in_air(name, subgroup, done)
    if subgroup == "transport-ground" or name in anatomy.WHEELS:
        return (
            "race"
            if action in _RACING
            else "drive"
            if name in anatomy.WHEELS or "train" in name or "rail" in name
            else "still"
        )
    if done and done != "fly" and (alive or done in ("spin", "fall", "jump", "dance")):
        return done if done != "run" or name not in _LEGLESS else "walk"
    if name in _ROUND and action:
        return "roll"
    if name in BY_NAME:
        return BY_NAME[name]
    if subgroup in ("plant-other", "plant-flower") or name == "herb":
        return "plant"
    if group == "flags":
        return "flag"
    if not alive:
        return "still"
    walks = subgroup in ("animal-mammal", "animal-reptile", "animal-bug", "animal-bird") and not has_body(name)
    return "walk" if walks and free and name not in _LEGLESS else "stand"


def _rig_in_air(name: str, subgroup: str, done: str | None) -> str:
    if name == "fireworks":
        return "still"
    if name in _FOLDING:
        return "flutter"
    if name in _BUZZING:
        return "buzz"
    if name in _OWN_WINGS or name in ("dragon", "person-superhero"):
        return "beat"
    if name in anatomy.WINGS:
        return "fly"
    if name in BY_NAME and BY_NAME[name] not in ("run", "walk", "still", "stand"):
        return BY_NAME[name]
    if done in ("spin", "fall", "dance"):
        return done
    if subgroup == "sky-weather":
        return "twinkle" if "star" in name else "still"
    return "drift"
