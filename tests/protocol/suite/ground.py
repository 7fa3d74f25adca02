"""The server under test, and people in the situations from which the tests start. Every person is new, so tests share nothing."""
import itertools
import os
import time

from client.framing import Command, Json, Proto
from client.person import Person
from client.rest import Refused

URL = os.environ["TESTED_URL"]
PASSWORD = "wenzhen-2026"
NEVER_EXISTED = "0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55"
_doctors = itertools.count(1)


def patient(form=Json, **more):
    return Person.patient(URL, form, **more)


def doctor(form=Json):
    """The next doctor of the demo hospital, taking new patients round the clock for all kinds; one each, so that no test fills another's list."""
    account = f"doctor{next(_doctors):02}"
    person = Person.staff(URL, form, account, PASSWORD)
    person.account = account
    person.rest.put("/api/doctor/hours", [{"weekday": day, "start_minute": 0, "end_minute": 1_440} for day in range(1, 8)])
    bands = person.rest.get("/api/doctor/price-bands")
    person.rest.put("/api/doctor/prices", [{"kind": it["kind"], "channel": it["channel"], "amount_fen": it["min_fen"]} for it in bands])
    person.rest.put("/api/doctor/availability", {"accepting": True})
    return person


def card_of(visitor, doctor):
    """Finds a doctor as a patient does: by the name in the search."""
    found = visitor.rest.get("/api/doctors", q=doctor.session["user"]["name"], page_size=50)["items"]
    return next(card for card in found if card["user_id"] == doctor.id)


def consents(person, *kinds):
    return [{name: notice[name] for name in ("kind", "version", "text_hash")} for notice in person.rest.get("/api/notices") if notice["kind"] in kinds]


INTAKE = {
    "symptoms": "反复头痛三天,下午加重", "onset": "三天前", "past_history": "无", "description": "没有发热,休息后稍缓解,想咨询是否需要检查", "attachments": [],
}


def order(patient, doctor, *, kind="advice", channel="text", key=None, **more):
    """Submits the intake form; answers the consultation, not yet paid."""
    body = {
        "doctor_id": card_of(patient, doctor)["id"], "kind": kind, "channel": channel, "intake": INTAKE,
        "consents": consents(patient, "scope_notice", "informed_consent"),
    }
    return patient.rest.post("/api/consultations", body | more, key=key)


def pay(patient, consultation):
    """Pays at the demo's cashier and waits until the channel's notice has arrived and the conversation has begun; answers the consultation."""
    payment = patient.rest.post(f"/api/orders/{consultation['order']['id']}/payments", {"channel": "wechat"})
    patient.rest.pay_at_cashier(payment["cashier_url"])
    paid = until(patient, consultation["id"], lambda it: it["state"] == "paid_waiting" and it["conversation_id"])
    patient.hears_kind(paid["conversation_id"], "consultation")
    return paid


def until(person, consultation, right, within_s=20):
    """Asks for the consultation each time something of it changed, until it is as wanted (section 9, `changed`)."""
    ends = time.monotonic() + within_s
    while not right(now := person.rest.get(f"/api/consultations/{consultation}")):
        assert time.monotonic() < ends, f"still {now['state']}"
        person.socket.expect("changed", lambda changed: changed.object in ("consultation", "order"))
    return now


def talking(form=Json, doctor_form=None, **more):
    """A patient and a doctor, both connected, in an accepted consultation; with its conversation's id."""
    him, her = patient(form), doctor(doctor_form or form)
    him.connect()
    her.connect()
    consultation = pay(him, order(him, her, **more))
    her.rest.post(f"/api/consultations/{consultation['id']}/accept", {})
    conversation = consultation["conversation_id"]
    him.hears_kind(conversation, "consultation", lambda change: change.reason == "accepted")
    her.catch_up(conversation)
    him.catch_up(conversation)
    return him, her, until(him, consultation["id"], lambda it: it["state"] == "in_progress")


def text(words):
    return {"text": {"text": words}}


__all__ = ["Command", "INTAKE", "Json", "NEVER_EXISTED", "PASSWORD", "Person", "Proto", "Refused", "URL",
           "card_of", "consents", "doctor", "order", "patient", "pay", "talking", "text", "until"]
