import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.errors import Cancelled, CostError, UsageError
from aigen.film.narrator import Narrator
from aigen.orders import costs, deletion, lifecycle, placing
from aigen.orders.context import USER_BUDGET, Context
from aigen.pipelines import Registered
from aigen.pipelines.motion import Motion
from aigen.settings import Settings
from aigen.store import Store
from aigen.times import start_of_month
from aigen.types.pipeline import Job, Pipeline
from aigen.types.reports import Report, Said
from aigen.types.request import SEED_LIMIT, Attachments, Draft, Narration
from aigen.types.rows import Generation
from tests.conftest import Scribbler, StillClock, files_in, scribble


def test_a_made_user_id_is_long_and_typable(context: Context, request_two: Draft) -> None:
    first, second = (placing.place(context, request_two, None).user_id for _ in range(2))
    assert first != second
    assert len(first.replace("-", "")) == 20
    assert all(user["made"] for user in context.store.users())


def test_the_request_is_frozen_with_seed_models_and_time(context: Context) -> None:
    request = Draft(prompt="x", videos=0, notify_at="2030-01-01T00:00Z")
    frozen = placing.place(context, request, "ana").request
    assert (frozen.image_model, frozen.video_model) == ("storybook", None)
    assert 0 <= frozen.seed <= SEED_LIMIT
    assert frozen.notify_at == "2030-01-01T00:00:00+00:00"
    assert placing.estimate(context, frozen.draft()).request == frozen


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "nonesuch"}, "storybook"),
        ({"image_model": "nonesuch"}, "nonesuch"),
        ({"style": "cubist"}, "watercolour"),
        ({"notify_at": "25:00"}, "25:00"),
    ],
)
def test_bad_names_are_refused_naming_those_that_exist(context: Context, changes: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        placing.place(replace(context, load=pipelines.load), Draft(prompt="x", **changes), "ana")  # type: ignore[arg-type]


def test_a_model_that_makes_no_videos_is_refused_for_them(context: Context, scribbler: Scribbler) -> None:
    scribbler.kinds = ("image",)
    request = Draft(prompt="x", video_model="scribbler")
    with pytest.raises(UsageError, match="makes no videos"):
        placing.estimate(context, request)
    assert placing.estimate(context, replace(request, videos=0)).request.image_model == "storybook"


def test_of_a_model_for_everything_that_makes_no_videos_its_pictures_are_set_in_motion(
    context: Context, scribbler: Scribbler
) -> None:
    pictures_only = replace(scribbler, kinds=("image",))

    def load(name: str, settings: Settings) -> Pipeline:
        return pictures_only if name == "scribbler" else scribbler

    context = replace(context, load=load)
    named = placing.estimate(context, Draft(prompt="x", model="scribbler")).request
    assert (named.image_model, named.video_model) == ("scribbler", "motion")
    context = replace(context, settings=Settings({"AIGEN_MODEL": "scribbler"}))
    default = placing.estimate(context, Draft(prompt="x")).request
    assert (default.image_model, default.video_model) == ("scribbler", "motion")


def test_videos_are_by_the_model_of_the_images_where_that_makes_both(
    context: Context, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures_only = replace(scribbler, kinds=("image",))
    monkeypatch.setattr(pipelines, "_installed", lambda kind, suits=None: "pictures" if kind == "image" else None)

    def load(name: str, settings: Settings) -> Pipeline:
        return pictures_only if name == "pictures" else scribbler

    def chosen(**named: Any) -> tuple[str | None, str | None]:
        request = placing.estimate(replace(context, load=load), Draft(prompt="x", **named)).request
        return request.image_model, request.video_model

    assert chosen() == ("pictures", "motion")
    assert chosen(image_model="storybook") == ("storybook", "storybook")
    assert chosen(image_model="pictures") == ("pictures", "motion")
    assert chosen(video_model="storybook") == ("pictures", "storybook")


def test_an_option_that_no_model_heeds_is_refused(context: Context, scribbler: Scribbler) -> None:
    request = Draft(prompt="x", steps=3)
    with pytest.raises(UsageError, match="steps means nothing to storybook"):
        placing.estimate(context, request)
    scribbler.options = frozenset({"steps"})
    assert placing.estimate(context, request).request.steps == 3


def test_the_largest_seed_has_room_for_every_item(context: Context) -> None:
    request = Draft(prompt="x", images=100, videos=0, seed=SEED_LIMIT)
    order = placing.place(context, request, "ana")
    assert max(item.seed for item in context.store.items(order.generation_id)) == 2**32 - 1


def test_numbers_may_start_later_and_seeds_go_on_from_the_first(context: Context) -> None:
    order = lifecycle.generate(context, Draft(prompt="x", images=2, videos=0, seed=9, first=4), "ana")
    items = context.store.items(order.generation_id)
    assert [(item.number, item.seed) for item in items] == [(4, 9), (5, 10)]
    assert list(files_in(context.content.root)) == ["ana/image-4.png", "ana/image-5.png"]


def test_images_that_start_from_a_picture_need_one(context: Context, scribbler: Scribbler) -> None:
    scribbler.starts_from = "picture"
    with pytest.raises(UsageError, match="storybook, which makes the images, needs a picture to start from: add --fr"):
        placing.place(context, Draft(prompt="x", videos=0), "ana")


def test_a_refused_order_leaves_no_lock(context: Context, tmp_path: Path) -> None:
    picture = scribble("image", tmp_path / "mine")
    draft = Draft(prompt="x", images=1, videos=0)
    placing.place(context, draft, "ana", detached=True)
    before = sorted(context.content.root.rglob("*.lock"))
    with pytest.raises(UsageError, match="which is the limit"):
        placing.place(replace(context, max_orders=1), draft, "ana", Attachments(picture=picture), detached=True)
    with pytest.raises(UsageError, match="differs from 'ana' only"):
        lifecycle.generate(context, draft, "ANA", Attachments(picture=picture))
    assert sorted(context.content.root.rglob("*.lock")) == before
    assert context.content.works() == []


# Models that cost money


def with_paid(monkeypatch: pytest.MonkeyPatch, context: Context, price: float | None = 0.25) -> Context:
    """The same, where a package has brought along a model that costs money."""
    paid = Scribbler(paid=True, local=False, cost=price)
    known = pipelines.registered() | {"paid": Registered("somewhere:Paid", "aigen-paid")}
    monkeypatch.setattr(pipelines, "registered", lambda: known)
    scribbler = Scribbler()
    return replace(context, load=lambda name, settings: paid if name == "paid" else scribbler)


def test_a_paid_model_is_chosen_only_when_it_is_named(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    context = with_paid(monkeypatch, context)
    usual = placing.estimate(context, Draft(prompt="x")).request
    assert "paid" not in (usual.image_model, usual.video_model)
    named = placing.estimate(context, Draft(prompt="x", image_model="paid")).request
    assert (named.image_model, named.video_model) == ("paid", "storybook")
    preferred = replace(context, settings=Settings({"AIGEN_MODEL": "paid"}))
    assert placing.estimate(preferred, Draft(prompt="x")).request.video_model == "paid"


def test_where_no_paid_model_may_be_used_none_is(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    context = replace(with_paid(monkeypatch, context), paid=False, settings=Settings({"AIGEN_MODEL": "paid"}))
    assert "paid" not in pipelines.offered(context.pipeline)
    assert placing.estimate(context, Draft(prompt="x")).request.video_model == "storybook"
    for named in ("model", "image_model", "video_model"):
        with pytest.raises(UsageError, match="model 'paid' costs money, and paid models are not offered here"):
            placing.place(context, Draft(prompt="x", **{named: "paid"}), "ana")  # type: ignore[arg-type]
    assert context.store.generations() == []


def check_cost(context: Context, draft: Draft) -> None:
    prepared = placing.prepare(context, draft)
    costs.check_cost(context, prepared.request, prepared.user_id, prepared.price, prepared.yes)


def test_what_an_order_will_cost_is_known_before_it_is_written(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Report] = []
    context = replace(with_paid(monkeypatch, context), report=reports.append)
    draft = Draft(prompt="x", images=3, videos=2, yes=True)
    assert placing.prepare(context, draft).price == 0.0
    assert placing.prepare(context, replace(draft, image_model="paid")).price == 0.75
    assert placing.prepare(context, replace(draft, model="paid")).price == 1.25
    check_cost(context, draft)
    assert reports == []
    check_cost(context, replace(draft, model="paid"))
    assert reports == [Said("estimated cost: $1.25")]
    reports.clear()
    unknown = replace(with_paid(monkeypatch, context, None), report=reports.append)
    check_cost(unknown, replace(draft, model="paid"))
    assert reports == [Said("estimated cost: an unknown amount")]


def test_the_pictures_that_others_make_are_part_of_the_price(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture for each video that is moved, for each scene of each film; none of the user's own."""
    paid = with_paid(monkeypatch, context)
    scribbled = paid.load
    own = {"motion": Motion(), "narrator": Narrator()}
    context = replace(paid, load=lambda name, settings: own.get(name) or scribbled(name, settings))
    moved = Draft(prompt="x", images=1, videos=2, image_model="paid", video_model="motion")
    assert placing.prepare(context, moved).price == 0.25 * 3
    film = Draft(prompt="x", images=0, videos=2, image_model="paid", narration=Narration(script="It rains.", scenes=1))
    assert placing.prepare(context, film).price == 0.25 * 2
    longer = replace(film, narration=Narration(script="It rains. It snows. The sun shines.", scenes=3))
    assert placing.prepare(context, longer).price == 0.25 * 6
    drawn = replace(longer, image_model="storybook")
    assert placing.prepare(context, drawn).price == 0.0


@pytest.mark.parametrize("placing_it", [placing.place, lifecycle.generate])
def test_nothing_is_ordered_that_nobody_agreed_to_pay(
    context: Context, monkeypatch: pytest.MonkeyPatch, placing_it: Any
) -> None:
    asked: list[float | None] = []

    def agree(price: float | None) -> None:
        asked.append(price)

    def decline(price: float | None) -> None:
        raise Cancelled("no")

    context = with_paid(monkeypatch, context)
    draft = Draft(prompt="x", images=3, videos=0, model="paid")
    with pytest.raises(UsageError, match=r"costs about \$0.75: add --yes, or a limit such as --max-cost 0.75"):
        placing_it(context, draft)
    with pytest.raises(Cancelled):
        placing_it(replace(context, agree=decline), draft)
    with pytest.raises(UsageError, match=r"costs about \$0.75, more than --max-cost 0.7: raise it, or order less"):
        placing_it(replace(context, agree=agree), replace(draft, max_cost=0.7, yes=True))
    limited = replace(context, settings=Settings({"AIGEN_MAX_COST": "0.5"}), agree=agree)
    with pytest.raises(UsageError, match=r"more than AIGEN_MAX_COST 0.5"):
        placing_it(limited, replace(draft, max_cost=1.0, yes=True))
    assert (context.store.generations(), context.content.works(), asked) == ([], [], [])
    placing_it(replace(context, agree=agree), draft)
    assert asked == [0.75]
    for agreed in (replace(draft, yes=True), replace(draft, max_cost=0.75)):
        assert placing_it(replace(context, agree=decline), agreed).request.max_cost == agreed.max_cost
    free = replace(draft, model=None)
    assert placing_it(replace(context, agree=decline), free).request.image_model == "storybook"


def test_a_price_that_is_not_known_needs_more_than_a_limit(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    context = with_paid(monkeypatch, context, None)
    draft = Draft(prompt="x", images=1, videos=0, model="paid", max_cost=5.0)
    with pytest.raises(UsageError, match="so it may exceed --max-cost: choose another model, or add --yes instead"):
        placing.place(context, draft)
    draft = replace(draft, max_cost=None)
    assert placing.place(context, replace(draft, yes=True)).status == "Processing"
    for name in ("AIGEN_MAX_COST", "AIGEN_MONTHLY_COST"):
        limited = replace(context, settings=Settings({name: "100"}))
        with pytest.raises(CostError, match=f"the cost of this order is unknown, so it may exceed {name}: choose"):
            placing.place(limited, replace(draft, yes=True))


@pytest.mark.parametrize("text", ["much", "-1", "inf", "nan"])
def test_a_limit_that_is_no_amount_is_refused(context: Context, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    context = replace(with_paid(monkeypatch, context), settings=Settings({"AIGEN_MAX_COST": text}))
    with pytest.raises(UsageError, match=f"AIGEN_MAX_COST '{text}' is not usable: give an amount in USD"):
        placing.place(context, Draft(prompt="x", model="paid", yes=True))


def test_a_budget_for_the_month_holds_with_what_is_reserved(
    context: Context, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Settings({"AIGEN_MONTHLY_COST": "1.00", USER_BUDGET: "0.60"})
    context = replace(with_paid(monkeypatch, context), settings=limits)
    two = Draft(prompt="x", images=2, videos=0, model="paid", yes=True)  # at 0.25 each
    first = placing.place(context, two, "ana")
    assert (first.price, context.store.spent("2026-11-01")) == (0.5, 0.5)
    web = replace(context, budgets=("AIGEN_MONTHLY_COST", USER_BUDGET))
    with pytest.raises(UsageError, match=r"^this costs about \$0.50, but only \$0.10 of your \$0.60"):
        placing.place(web, two, "ana")
    placing.place(web, two, "bob")
    with pytest.raises(UsageError, match=r"\$1.00 of AIGEN_MONTHLY_COST 1 is spent or reserved this month: raise it"):
        placing.place(context, replace(two, images=1), "eve")
    assert placing.place(context, replace(two, model=None), "eve").price == 0.0
    # What is not spent is free again: a cancelled order costs what its jobs cost.
    context.store.save_job(context.store.items(first.generation_id)[0], Job("key", "theirs", cost=0.25))
    lifecycle.cancel(context, first.generation_id)
    assert context.store.spent("2026-11-01") == 0.75
    placing.place(context, replace(two, images=1), "eve")
    clock.advance(40 * 24 * 3600)
    placing.place(context, two, "ana")
    ledger = [(order["user_id"], order["price"], order["cost"]) for order in context.store.costs()]
    assert ledger == [("ana", 0.5, 0.25), ("bob", 0.5, 0.0), ("eve", 0.25, 0.0), ("ana", 0.5, 0.0)]
    assert [order["user_id"] for order in context.store.costs("bob")] == ["bob"]


def with_budget(monkeypatch: pytest.MonkeyPatch, context: Context, amount: str) -> Context:
    return replace(with_paid(monkeypatch, context), settings=Settings({"AIGEN_MONTHLY_COST": amount}))


def test_what_fits_exactly_is_placed_and_advice_can_be_followed(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = with_budget(monkeypatch, context, "0.3")
    cheap = Scribbler(paid=True, cost=0.1)
    context = replace(context, load=lambda name, settings: cheap)
    one = Draft(prompt="x", images=1, videos=0, model="storybook", max_cost=0.1)
    for _ in range(3):
        placing.place(context, one)
    with pytest.raises(CostError, match=r"^\$0.30 of AIGEN_MONTHLY_COST 0.3 is spent"):
        placing.place(context, one)
    cheap.cost = 0.1251
    with pytest.raises(CostError, match=r"costs about \$0.13: add --yes, or a limit such as --max-cost 0.13$"):
        placing.place(replace(context, settings=Settings({})), replace(one, max_cost=None))


def test_a_refused_order_leaves_no_trace(context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = ContentFolder(tmp_path / "new")
    for amount in ("0.5", "abc"):
        with Store.open(content) as store:
            limited = replace(with_budget(monkeypatch, context, amount), content=content, store=store)
            with pytest.raises(UsageError, match="AIGEN_MONTHLY_COST"):
                lifecycle.generate(limited, Draft(prompt="x", images=3, videos=0, model="paid", yes=True))
    assert not content.root.exists()


def test_a_failed_order_is_tried_again_only_within_the_budget(
    context: Context, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = with_budget(monkeypatch, context, "1")
    three = Draft(prompt="x", images=3, videos=0, model="paid", yes=True)  # 0.75
    failed = placing.place(context, three, "ana").generation_id
    context.store.fail(failed, "no reason", clock())
    other = placing.place(context, three, "bob").generation_id
    with pytest.raises(CostError, match=r"^\$0.75 of AIGEN_MONTHLY_COST 1 is spent or reserved"):
        lifecycle.resume(context, failed)
    assert context.store.generation(failed).status == "Failed"  # type: ignore[union-attr]
    lifecycle.cancel(context, other)
    clock.advance(40 * 24 * 3600)
    assert lifecycle.resume(context, failed).status == "Completed"
    context.store.fail(failed, "no reason", clock())
    assert context.store.spent(start_of_month(clock())) == 0.0


def test_what_was_paid_counts_also_when_it_is_erased(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    context = with_paid(monkeypatch, context)
    two = Draft(prompt="x", images=2, videos=0, model="paid", yes=True)

    def bought(user_id: str) -> Generation:
        order = placing.place(context, two, user_id)
        for item in context.store.items(order.generation_id):
            job = Job("key", "theirs", cost=0.25)
            context.store.save_job(item, job)
            context.store.record(replace(item, state="done", path="x", parameters={}))
        context.store.complete(order.generation_id, context.clock())
        return order

    first, second, third = bought("ana"), bought("ana"), bought("bob")
    assert context.store.spent("2026-11-01") == 1.5
    assert context.store.delete_item(context.store.items(first.generation_id)[0])
    assert context.store.delete_order(first.generation_id)
    assert context.store.delete_order(second.generation_id)
    assert (context.store.spent("2026-11-01"), context.store.spent("2026-11-01", "ana")) == (1.5, 1.0)
    deletion.erase_user(context, "bob")
    assert (context.store.spent("2026-11-01"), context.store.spent("2026-11-01", "bob")) == (1.5, 0.0)
    assert context.store.spent("2026-12-01") == 0.0
    assert third.price == 0.5


def test_a_job_whose_cost_is_not_known_yet_counts_with_the_price(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = with_paid(monkeypatch, context)
    order = placing.place(context, Draft(prompt="x", images=2, videos=0, model="paid", yes=True), "ana")
    item = context.store.items(order.generation_id)[0]
    context.store.save_job(item, Job("key", "theirs", state="submitted"))
    lifecycle.cancel(context, order.generation_id)
    assert context.store.spent("2026-11-01") == 0.5
    context.store.save_job(item, Job("key", "theirs", state="fetched", cost=0.25))
    context.store.save_job(item, Job("key", "theirs", state="fetched"))  # what is known of its cost stays
    assert context.store.spent("2026-11-01") == 0.25


@pytest.mark.parametrize("cost", [-1.0, float("nan"), float("inf")])
def test_a_cost_is_an_amount(cost: float) -> None:
    with pytest.raises(ValueError, match="give an amount in USD"):
        Job("key", cost=cost)


@settings(max_examples=20, deadline=None)
@given(prices=strategies.lists(strategies.integers(1, 6), min_size=4, max_size=10))
def test_orders_placed_at_once_never_exceed_a_budget(prices: list[int]) -> None:
    """Each in a thread with a connection of its own."""
    with tempfile.TemporaryDirectory() as folder:
        content = ContentFolder(Path(folder))
        Store.open(content, create=True).close()
        paid = Scribbler(paid=True, local=False, cost=0.25)
        budget = Settings({"AIGEN_MONTHLY_COST": "2"})

        def order(images: int) -> float:
            with Store.open(content) as store:
                context = Context(content, store, settings=budget, load=lambda name, settings: paid)
                draft = Draft(prompt="x", images=images, videos=0, model="storybook", yes=True)
                try:
                    return placing.place(context, draft).price or 0.0
                except UsageError:
                    return 0.0

        with ThreadPoolExecutor(4) as threads:
            placed = sum(threads.map(order, prices))
        with Store.open(content) as store:
            assert store.spent("2000-01-01") == placed <= 2
        assert placed >= min(2 - 0.25 * (max(prices) - 1), 0.25 * sum(prices))
