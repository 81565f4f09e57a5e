"""Where pictures have wheels, wings, rotors, heads and lights: tables, in shares of the picture as it stands in scenes.

A picture gets a joint here, and `moving.rigs` moves it.
"""

# Wheels: x and y of the hub in shares of width and height, the radius in shares of the width.
WHEELS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "ambulance": ((0.779, 0.84, 0.121), (0.244, 0.84, 0.121)),
    "articulated-lorry": ((0.196, 0.848, 0.125), (0.803, 0.848, 0.125), (0.554, 0.848, 0.125)),
    "auto-rickshaw": ((0.163, 0.854, 0.13), (0.87, 0.854, 0.13)),
    "automobile": ((0.768, 0.816, 0.125), (0.233, 0.816, 0.125)),
    "bicycle": ((0.807, 0.733, 0.179), (0.196, 0.733, 0.179)),
    "bus": ((0.233, 0.841, 0.125), (0.768, 0.841, 0.125)),
    "delivery-truck": ((0.767, 0.849, 0.123), (0.242, 0.849, 0.123)),
    "fire-engine": ((0.232, 0.865, 0.125), (0.768, 0.865, 0.125)),
    "kick-scooter": ((0.85, 0.84, 0.142), (0.142, 0.84, 0.142)),
    "locomotive": ((0.679, 0.885, 0.107), (0.893, 0.885, 0.107), (0.464, 0.923, 0.071), (0.315, 0.923, 0.071)),
    "man-biking": ((0.18, 0.823, 0.163), (0.82, 0.823, 0.163)),
    "man-in-manual-wheelchair": ((0.705, 0.772, 0.282),),
    "manual-wheelchair": ((0.727, 0.732, 0.26),),
    "minibus": ((0.235, 0.823, 0.12), (0.774, 0.823, 0.12)),
    "motor-scooter": ((0.837, 0.839, 0.119), (0.165, 0.839, 0.119)),
    "motorcycle": ((0.845, 0.763, 0.155), (0.154, 0.763, 0.155)),
    "person-biking": ((0.18, 0.823, 0.163), (0.82, 0.823, 0.163)),
    "person-in-manual-wheelchair": ((0.713, 0.771, 0.285),),
    "pickup-truck": ((0.202, 0.816, 0.124), (0.768, 0.816, 0.124)),
    "police-car": ((0.232, 0.848, 0.125), (0.768, 0.848, 0.125)),
    "racing-car": ((0.235, 0.684, 0.123), (0.868, 0.684, 0.123)),
    "railway-car": ((0.697, 0.929, 0.068), (0.29, 0.929, 0.068)),
    "roller-skate": ((0.212, 0.863, 0.134), (0.783, 0.862, 0.133)),
    "sport-utility-vehicle": ((0.231, 0.848, 0.125), (0.731, 0.848, 0.125)),
    "taxi": ((0.239, 0.834, 0.122), (0.766, 0.834, 0.122)),
    "tractor": ((0.804, 0.761, 0.196), (0.197, 0.848, 0.125)),
    "tram-car": ((0.142, 0.849, 0.071), (0.339, 0.849, 0.071), (0.66, 0.849, 0.071), (0.856, 0.849, 0.071)),
    "trolleybus": ((0.771, 0.856, 0.12), (0.233, 0.856, 0.12)),
    "woman-biking": ((0.18, 0.823, 0.163), (0.82, 0.823, 0.163)),
    "woman-in-manual-wheelchair": ((0.713, 0.775, 0.285),),
}
# Wheels that are looked through: they have spokes, others hubcaps.
SPOKED = frozenset(
    "bicycle man-biking person-biking woman-biking kick-scooter manual-wheelchair man-in-manual-wheelchair "
    "person-in-manual-wheelchair woman-in-manual-wheelchair".split()
)

# Birds drawn standing: where the wing grows that they fly with (x, y), and how long it is, in shares of the width.
WINGS: dict[str, tuple[float, float, float]] = {
    "bird": (0.6, 0.5, 0.8), "blackbird": (0.55, 0.5, 0.8), "parrot": (0.5, 0.5, 0.9), "owl": (0.8, 0.45, 0.7),
    "duck": (0.6, 0.6, 0.8), "goose": (0.6, 0.6, 0.8), "swan": (0.6, 0.55, 0.9), "baby-chick": (0.6, 0.55, 0.6),
    "rooster": (0.55, 0.55, 0.7), "chicken": (0.55, 0.55, 0.7), "flamingo": (0.6, 0.35, 0.9),
    "penguin": (0.75, 0.5, 0.5), "pig": (0.55, 0.3, 0.6), "horse": (0.55, 0.4, 0.7), "unicorn": (0.6, 0.45, 0.7),
    "peacock": (0.6, 0.6, 0.6), "turkey": (0.5, 0.5, 0.7), "dodo": (0.55, 0.6, 0.6), "cat": (0.55, 0.4, 0.6),
    "elephant": (0.55, 0.3, 0.6), "cow": (0.55, 0.35, 0.6), "front-facing-baby-chick": (0.8, 0.5, 0.5),
}  # fmt: skip

# Rotors: left, top, right, bottom of what spins, in shares.
ROTORS: dict[str, tuple[float, float, float, float]] = {"helicopter": (0.0, 0.0, 0.78, 0.19)}

# What shines by itself: x and y of the light in shares, how far it shines (1: 0.6 of its longer side), its colour.
LIGHTS: dict[str, tuple[float, float, float, tuple[int, int, int]]] = {
    "fire": (0.5, 0.6, 1.5, (255, 150, 50)), "candle": (0.5, 0.14, 1.3, (255, 190, 90)),
    "couch-and-lamp": (0.87, 0.2, 1.1, (255, 214, 130)), "jack-o-lantern": (0.5, 0.6, 1.2, (255, 160, 50)),
    "light-bulb": (0.5, 0.4, 1.5, (255, 224, 130)), "diya-lamp": (0.6, 0.3, 1.3, (255, 180, 80)),
    "red-paper-lantern": (0.5, 0.5, 1.4, (255, 110, 60)), "sparkler": (0.5, 0.5, 1.4, (255, 210, 110)),
    "fireworks": (0.5, 0.4, 1.5, (255, 190, 110)), "star": (0.5, 0.5, 1.3, (255, 226, 120)),
    "glowing-star": (0.5, 0.5, 1.6, (255, 226, 120)), "full-moon": (0.5, 0.5, 1.5, (255, 240, 190)),
    "crescent-moon": (0.5, 0.5, 1.5, (255, 240, 190)), "comet": (0.35, 0.65, 1.2, (120, 220, 255)),
    "volcano": (0.5, 0.25, 0.9, (255, 110, 40)), "sun": (0.5, 0.5, 1.8, (255, 220, 120)),
    "sun-with-face": (0.5, 0.5, 1.8, (255, 220, 120)), "crystal-ball": (0.5, 0.4, 1.3, (190, 120, 255)),
    "shooting-star": (0.5, 0.5, 1.5, (255, 226, 140)), "christmas-tree": (0.5, 0.5, 0.9, (255, 214, 130)),
    "flying-saucer": (0.3, 0.8, 0.9, (255, 230, 110)),
}  # fmt: skip

# Heads, for hats and glasses: x and y of the point between the eyes,
# the top of the head, and how wide it is; in shares.
HEADS: dict[str, tuple[float, float, float, float]] = {
    "dog": (0.2, 0.3, 0.13, 0.4), "cat": (0.22, 0.3, 0.16, 0.36), "black-cat": (0.22, 0.3, 0.16, 0.36),
    "rabbit": (0.24, 0.42, 0.3, 0.4), "horse": (0.16, 0.22, 0.1, 0.28), "elephant": (0.22, 0.4, 0.12, 0.46),
    "pig": (0.16, 0.38, 0.2, 0.36), "cow": (0.16, 0.24, 0.14, 0.28), "penguin": (0.5, 0.2, 0.02, 0.5),
    "duck": (0.24, 0.16, 0.02, 0.32), "snowman": (0.5, 0.26, 0.14, 0.4),
    "snowman-without-snow": (0.45, 0.26, 0.14, 0.46), "teddy-bear": (0.5, 0.25, 0.04, 0.6),
    "octopus": (0.5, 0.4, 0.02, 0.8), "owl": (0.5, 0.24, 0.06, 0.7), "turtle": (0.86, 0.5, 0.42, 0.26),
    "gorilla": (0.3, 0.2, 0.04, 0.4), "monkey": (0.34, 0.26, 0.06, 0.5), "mouse": (0.2, 0.4, 0.24, 0.4),
    "hedgehog": (0.16, 0.56, 0.4, 0.34), "poodle": (0.26, 0.24, 0.06, 0.36), "bird": (0.3, 0.24, 0.06, 0.44),
    "parrot": (0.36, 0.2, 0.03, 0.5), "giraffe": (0.16, 0.12, 0.06, 0.24), "zebra": (0.16, 0.22, 0.12, 0.28),
    "whale": (0.3, 0.4, 0.2, 0.5), "t-rex": (0.3, 0.14, 0.02, 0.44),
}  # fmt: skip
# Of what has a drawn body, the head is the upper part.
HEAD_ON_BODY = (0.5, 0.33, 0.06, 0.74)

# What is worn: where, and how wide it is beside the head.
WORN: dict[str, tuple[str, float]] = {
    "sunglasses": ("eyes", 0.92), "glasses": ("eyes", 0.86), "goggles": ("eyes", 0.9), "top-hat": ("head", 0.9),
    "womans-hat": ("head", 1.2), "crown": ("head", 0.72), "billed-cap": ("head", 0.9), "graduation-cap": ("head", 1.0),
    "military-helmet": ("head", 0.95), "rescue-workers-helmet": ("head", 0.9), "scarf": ("neck", 0.8),
    "necktie": ("neck", 0.4), "ribbon": ("head", 0.5),
}  # fmt: skip
