"""What gestures do to banks: keep a latent, give a place another name, take one out. Main thread, like the show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from performer.latent.bank import Bank
from performer.types.frame import ControlEvent


def changed(banks: Mapping[str, Bank], event: ControlEvent) -> tuple[Bank | None, str]:
    """Do what an event asks; the bank, to be written, if anything was done, and a word for people.

    keep    `latent` of the model `words[0]` under the name `text`, with the tags `words[1:]`
    rename  the place `words[1]` of the model `words[0]` to `text`, with the tags `words[2:]`
    drop    the place `text` of the model `words[0]`
    """
    model, *words = event.words or ("",)
    bank = banks.get(model)
    if bank is None:
        return None, f"{model or 'no model'}: has no bank"
    if event.address == "bank.keep":
        place = bank.keep(event.latent, event.text, words) if bank.fits(event.latent) else None
        word = f"saved {place.name} of {model}" if place else f"{model}: the snapshot cannot be saved"
    elif event.address == "bank.rename":
        place = bank.rename(words[0], event.text, words[1:]) if words and event.text else None
        word = f"{words[0]} renamed to {place.name}" if place else f"{model}: no such snapshot"
    else:
        place = bank.drop(event.text)
        word = f"{event.text} deleted from the bank of {model}" if place else f"{model}: no such snapshot"
    return (frozen_copy(bank) if place else None), word


def frozen_copy(bank: Bank) -> Bank:
    """A copy that stays as it is, for the thread that writes."""
    return replace(bank, places=list(bank.places))
