"""The keys that say what a cable does to frames: in a link of the file, and when it changes.

The same models judge a link of a file, and a change to a running one, whoever asks for it;
:func:`change_of` turns what was written into the keyword arguments of
:meth:`vnet.sim.link.Link.change`, leaving out what was left out.
"""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field

from vnet.base.units import duration_text, rate_text, share_text
from vnet.sim.link import LinkChange
from vnet.sim.netem import GilbertElliott, Impairments
from vnet.topology.schema.fields import SHARE_SPELLING, Duration, Mtu, Rate, Share
from vnet.topology.schema.parts import Part, duration_field
from vnet.topology.schema.values import parse_share_value

_NO_SHARE: dict[str, Any] = {"default": "0%"}

_SETTINGS = {
    "latency": "latency_ns",
    "bandwidth": "bandwidth_bps",
    "queue": "queue_frames",
    "mtu": "mtu_bytes",
    "jitter": "jitter_ns",
    "loss": "loss",
    "duplicate": "duplicate",
    "reorder": "reorder",
    "corrupt": "corrupt",
}
"""What a running link calls each key."""


class GilbertElliottFile(Part):
    """Loss in bursts, as tc's 'loss gemodel': the wire is good or bad, frame by frame."""

    p: Share = Field(..., description="Share of frames at which a good wire turns bad.")
    r: Share | None = Field(
        default=None, description="Share at which a bad wire turns good; left out, 100% less p."
    )
    one_minus_h: Share = Field(
        default=1.0,
        alias="1-h",
        description="Share of frames that a bad wire loses.",
        json_schema_extra={"default": "100%"},
    )
    one_minus_k: Share = Field(
        default=0.0,
        alias="1-k",
        description="Share of frames that a good wire loses.",
        json_schema_extra=_NO_SHARE,
    )

    def model(self) -> GilbertElliott:
        """The running model, with tc's default for ``r``: no frame's loss tells of the next."""
        to_good = 1.0 - self.p if self.r is None else self.r
        return GilbertElliott(self.p, to_good, self.one_minus_h, self.one_minus_k)


def _loss(value: object) -> object:
    """A map is judged as one, so that a fault in it is found at its own place."""
    if isinstance(value, dict):
        return GilbertElliottFile.model_validate(value)
    return parse_share_value(value)


Loss = Annotated[GilbertElliottFile | Annotated[float, SHARE_SPELLING], BeforeValidator(_loss)]


class WireFile(Part):
    """What a cable does to the frames of both directions."""

    latency: Duration = duration_field(0, "Time a frame is on its way.")
    bandwidth: Rate | None = Field(default=None, description="Bits per second; left out, no limit.")
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1000, description="Frames that may wait at each end."
    )
    mtu: Mtu | None = Field(
        default=None, description="Larger packets are lost; left out, none are."
    )
    jitter: Duration = duration_field(
        0,
        "How far the delay of each frame may lie on either side of the latency; frames may "
        "overtake each other.",
    )
    loss: Loss = Field(
        default=0.0,
        description="Share of frames that get lost, each for itself; or in bursts, by a map.",
        examples=["1%", {"p": "1%", "r": "30%"}],
        json_schema_extra=_NO_SHARE,
    )
    duplicate: Share = Field(
        default=0.0, description="Share of frames that arrive twice.", json_schema_extra=_NO_SHARE
    )
    reorder: Share = Field(
        default=0.0,
        description="Share of frames that go without delay and so overtake the others.",
        json_schema_extra=_NO_SHARE,
    )
    corrupt: Share = Field(
        default=0.0,
        description="Share of frames of which one bit is flipped.",
        json_schema_extra=_NO_SHARE,
    )

    def impairments(self) -> Impairments:
        """What is written, and the defaults for what is not."""
        return Impairments(
            self.jitter, loss_of(self.loss), self.duplicate, self.reorder, self.corrupt
        )


def words_of(change: LinkChange) -> str:
    """A change in a few words, spelt as in a file: ``down``, ``latency 20ms loss 5%``."""
    words = []
    given: dict[str, Any] = dict(change)
    if "up" in given:
        words.append("up" if given["up"] else "down")
    for key, name in _SETTINGS.items():
        if name not in given:
            continue
        value = given[name]
        if value is None:
            text = "none"
        elif name.endswith("_ns"):
            text = duration_text(value)
        elif name.endswith("_bps"):
            text = rate_text(value)
        else:
            text = share_text(value) if isinstance(value, float) else str(value)
        words.append(f"{key} {text}")
    return " ".join(words)


def loss_of(written: GilbertElliottFile | float) -> float | GilbertElliott:
    """A share or a model of loss, as links take it."""
    return written.model() if isinstance(written, GilbertElliottFile) else written


def change_of(file: WireFile) -> LinkChange:
    """Only what is written, for :meth:`~vnet.sim.link.Link.change`."""
    change = {
        name: getattr(file, key) for key, name in _SETTINGS.items() if key in file.model_fields_set
    }
    if "loss" in change:
        change["loss"] = loss_of(file.loss)
    return cast(LinkChange, change)
