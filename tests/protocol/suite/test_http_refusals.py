"""What HTTP refuses: forms that do not fit, what belongs to others, what was sent twice, and notices of payment nobody signed."""
import http.client
import json
import unittest
import uuid
from urllib.parse import urlsplit

import httpx

from client import files
from client.rest import Refused, Rest
from suite.ground import INTAKE, Json, NEVER_EXISTED, URL, card_of, consents, doctor, order, patient, pay, talking, until


class Forms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.patient, cls.doctor = patient(), doctor()

    @classmethod
    def tearDownClass(cls):
        cls.patient.close()
        cls.doctor.close()

    def refusal(self, method, path, **parts):
        answer = self.patient.rest.raw(method, path, **parts)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json()
        self.assertEqual(problem["status"], answer.status_code)
        self.assertTrue(problem["request_id"])
        return answer.status_code, problem["code"]

    def test_bodies_that_are_not_json(self):
        typed = {"content-type": "application/json"}
        for content in (b"", b"{", b"\xff\xfe", b"{'a': 1}"):
            self.assertEqual(self.refusal("POST", "/api/consultations", content=content, headers=typed), (400, "malformed"))
        self.assertEqual(self.refusal("POST", "/api/consultations", content=b"{}", headers={"content-type": "text/plain"}), (415, "unsupported_media_type"))
        self.assertEqual(self.refusal("POST", "/api/consultations", content=b" " * (256 * 1024 + 1), headers=typed), (413, "too_large"))

    def test_values_of_another_type_and_unknown_fields(self):
        good = {
            "doctor_id": card_of(self.patient, self.doctor)["id"], "kind": "advice", "channel": "text", "intake": INTAKE,
            "consents": consents(self.patient, "scope_notice", "informed_consent"),
        }
        for name, change in {
            "doctor": {"doctor_id": 7}, "kind": {"kind": "surgery"}, "channel": {"channel": None}, "intake": {"intake": "headache"},
            "text": {"intake": INTAKE | {"symptoms": ["a"]}}, "attachments": {"intake": INTAKE | {"attachments": "x"}}, "consents": {"consents": {}},
            "price": {"price_fen": "100"}, "unknown field": {"discount_fen": 100}, "unknown field inside": {"intake": INTAKE | {"urgent": True}},
            "too short": {"intake": INTAKE | {"symptoms": "疼", "description": ""}}, "too long": {"intake": INTAKE | {"description": "疼" * 2_001}},
        }.items():
            with self.subTest(name):
                self.assertEqual(self.refusal("POST", "/api/consultations", json=good | change), (422, "invalid_field"))
        for body in ([], "x", 7, None):
            self.assertEqual(self.refusal("POST", "/api/consultations", content=json.dumps(body), headers={"content-type": "application/json"}), (422, "invalid_field"))

    def test_addresses_that_are_none(self):
        self.assertEqual(self.refusal("GET", "/api/nothing"), (404, "not_found"))
        self.assertEqual(self.refusal("DELETE", "/api/me"), (405, "method_not_allowed"))
        self.assertEqual(self.refusal("GET", "/api/consultations/mine"), (404, "not_found"))
        for query in ("page=x", "group=some", "page=0", "page_size=100000"):
            self.assertEqual(self.refusal("GET", f"/api/consultations?{query}"), (422, "invalid_field"))

    def test_consents_of_another_text(self):
        [scope, informed] = consents(self.patient, "scope_notice", "informed_consent")
        for given, code in (([scope], "consent_required"), ([scope, informed | {"text_hash": "00" * 32}], "consent_outdated")):
            with self.assertRaises(Refused) as refused:
                order(self.patient, self.doctor, consents=given)
            self.assertEqual((refused.exception.status, refused.exception.code), (409, code))

    def test_a_return_visit_without_proof(self):
        with self.assertRaises(Refused) as refused:
            order(self.patient, self.doctor, kind="return_visit")
        self.assertEqual(refused.exception.code, "proof_missing")

    def test_files_that_are_none(self):
        for name, kind, content, mime in (
            ("text as a picture", "image", b"hello", "image/jpeg"), ("cut off", "image", files.photo()[:300], "image/jpeg"),
            ("a picture as voice", "voice", files.photo(), "audio/wav"), ("empty", "image", b"", "image/png"),
            ("a page", "image", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "image/svg+xml"),
        ):
            with self.subTest(name):
                with self.assertRaises(Refused) as refused:
                    self.patient.rest.upload(kind, "file", content, mime)
                self.assertIn(refused.exception.status, (400, 415, 422))
                self.assertNotIn(refused.exception.code, (None, "internal"))


class Strangers(unittest.TestCase):
    """What belongs to others is answered exactly as what never existed: status and document."""

    @classmethod
    def setUpClass(cls):
        cls.patient, cls.doctor, cls.consultation = talking(Json)
        conversation = cls.consultation["conversation_id"]
        picture = cls.patient.rest.upload("image", "skin.jpg", files.photo(), "image/jpeg")
        cls.patient.say(conversation, {"image": {"attachment": picture["id"]}})
        cls.things = {"consultation": cls.consultation["id"], "conversation": conversation, "order": cls.consultation["order"]["id"], "attachment": picture["id"]}
        cls.strangers = (patient(), doctor())

    @classmethod
    def tearDownClass(cls):
        for person in (cls.patient, cls.doctor, *cls.strangers):
            person.close()

    def alike(self, stranger, method, path, thing, body=None):
        told = []
        for it in (self.things[thing], NEVER_EXISTED):
            answer = stranger.rest.raw(method, path.format(it), json=body)
            told.append(Refused(answer).told() if not answer.is_success else (answer.status_code, "let in"))
        self.assertEqual(told[0], told[1], path)
        self.assertIn(told[0][0], (403, 404), path)

    def test_reading(self):
        for stranger in self.strangers:
            for path, thing in (
                ("/api/consultations/{}", "consultation"), ("/api/consultations/{}/record", "consultation"), ("/api/consultations/{}/record.pdf", "consultation"),
                ("/api/conversations/{}/entries", "conversation"), ("/api/conversations/{}/transcript", "conversation"), ("/api/orders/{}", "order"),
                ("/api/attachments/{}", "attachment"), ("/api/attachments/{}/thumbnail", "attachment"),
            ):
                with self.subTest(path):
                    self.alike(stranger, "GET", path, thing)

    def test_doing(self):
        record = {"version": 0, "impression": "x", "symptom_analysis": "", "basis": "", "advice": "", "medication_advice": "", "references": []}
        [notice] = consents(self.patient, "av_notice")
        for stranger in self.strangers:
            for method, path, thing, body in (
                ("POST", "/api/consultations/{}/accept", "consultation", {}), ("POST", "/api/consultations/{}/reject", "consultation", {"reason": "不属于本科室范围"}),
                ("POST", "/api/consultations/{}/end", "consultation", {}), ("POST", "/api/consultations/{}/cancel", "consultation", {}),
                ("POST", "/api/consultations/{}/terminate", "consultation", {"reason_code": "emergency", "detail": "请到急诊"}),
                ("POST", "/api/consultations/{}/av-consent", "consultation", {"version": notice["version"], "text_hash": notice["text_hash"]}),
                ("POST", "/api/consultations/{}/continue", "consultation", {}), ("POST", "/api/consultations/{}/reviews", "consultation", {"score": 1}),
                ("PUT", "/api/consultations/{}/record", "consultation", record), ("POST", "/api/orders/{}/payments", "order", {"channel": "wechat"}),
                ("POST", "/api/orders/{}/refund-requests", "order", {"reason": "不想看了"}),
            ):
                with self.subTest(f"{path} by {stranger.session['user']['role']}"):
                    self.alike(stranger, method, path, thing, body)
        self.assertEqual(self.patient.rest.get(f"/api/consultations/{self.consultation['id']}")["state"], "in_progress")

    def test_anothers_attachment_is_not_sent_and_not_attached(self):
        stranger, her = self.strangers
        stranger.connect()
        conversation = pay(stranger, order(stranger, her))["conversation_id"]
        told = []
        for attachment in (self.things["attachment"], NEVER_EXISTED):
            error = stranger.refusal_of(stranger.send(conversation, {"image": {"attachment": attachment}}))
            told.append((error.code, error.message, error.temporary))
            with self.assertRaises(Refused) as refused:
                order(stranger, her, intake=INTAKE | {"attachments": [attachment]})
            told.append(refused.exception.told())
        self.assertEqual(told[:2], told[2:])
        self.assertEqual(told[0][0], "unknown_attachment")

    def test_visitors_and_the_wrong_side(self):
        visitor = Rest(URL)
        self.addCleanup(visitor.close)
        for path in ("/api/me", "/api/consultations", f"/api/consultations/{self.consultation['id']}", f"/api/attachments/{self.things['attachment']}", "/api/orders"):
            answer = visitor.raw("GET", path)
            self.assertEqual((answer.status_code, answer.json()["code"]), (401, "unauthenticated"), path)
        for person, path in ((self.patient, "/api/doctor/counts"), (self.patient, "/api/admin/reviews"), (self.doctor, "/api/admin/reviews"), (self.doctor, "/api/orders")):
            answer = person.rest.raw("GET", path)
            self.assertEqual((answer.status_code, answer.json()["code"]), (403, "not_permitted"), path)

    def test_a_refusal_leaves_the_connection_to_the_next_request(self):
        connection = http.client.HTTPConnection(urlsplit(URL).netloc)
        self.addCleanup(connection.close)
        connection.putrequest("POST", "/api/consultations")
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", "2")
        connection.endheaders()
        self.patient.rest.get("/api/me")  # By now the server could have answered without the body.
        connection.send(b"{}")
        refused = connection.getresponse()
        self.assertEqual((refused.status, bool(refused.read())), (401, True))
        connection.request("GET", "/api/hospital")
        self.assertEqual(connection.getresponse().status, 200)

    def test_passwords_and_codes_that_do_not_fit(self):
        visitor = Rest(URL)
        self.addCleanup(visitor.close)
        unknown = f"137{uuid.uuid4().int % 10**8:08}"
        told = []
        for phone in (self.patient.phone, unknown):
            with self.assertRaises(Refused) as refused:
                visitor.post("/api/auth/login", {"phone": phone, "password": "not-mine-1", "device": self.patient.device, "remember": False})
            told.append(refused.exception.told())
        self.assertEqual(told[0], told[1], "nobody learns which numbers are registered")
        self.assertEqual(told[0][0], 401)


class Twice(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.patient, cls.doctor = patient(), doctor()
        cls.patient.connect()

    @classmethod
    def tearDownClass(cls):
        cls.patient.close()
        cls.doctor.close()

    def test_a_double_submit_orders_once(self):
        key = str(uuid.uuid4())
        first, again = (order(self.patient, self.doctor, key=key) for _ in range(2))
        self.assertEqual((first["id"], first["order"]["id"]), (again["id"], again["order"]["id"]))
        with self.assertRaises(Refused) as refused:
            order(self.patient, self.doctor, intake=INTAKE | {"onset": "昨天"}, key=key)
        self.assertEqual((refused.exception.status, refused.exception.code), (409, "idempotency_conflict"))
        mine = self.patient.rest.get("/api/consultations", group="active")["items"]
        self.assertEqual([it["id"] for it in mine].count(first["id"]), 1)

    def test_anothers_key_is_ones_own(self):
        other = patient()
        self.addCleanup(other.close)
        key = str(uuid.uuid4())
        self.assertNotEqual(order(self.patient, self.doctor, key=key)["id"], order(other, self.doctor, key=key)["id"])

    def test_a_notice_of_payment_nobody_signed_moves_nothing(self):
        consultation = order(self.patient, self.doctor)
        path = f"/api/orders/{consultation['order']['id']}"
        self.patient.rest.post(f"{path}/payments", {"channel": "wechat"})
        notice = {
            "id": str(uuid.uuid4()), "create_time": "2026-01-01T00:00:00+08:00", "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource",
            "summary": "支付成功", "resource": {"algorithm": "AEAD_AES_256_GCM", "ciphertext": "AAAA", "nonce": "0123456789ab", "associated_data": "transaction"},
        }
        signed = {"Wechatpay-Timestamp": "1800000000", "Wechatpay-Nonce": "n", "Wechatpay-Serial": "S", "Wechatpay-Signature": "c2lnbmF0dXJl"}
        for name, headers in {
            "unsigned": {}, "forged": signed, "half": {"Wechatpay-Signature": "x"}, "not base64": signed | {"Wechatpay-Signature": "***"},
        }.items():
            for kind in ("payments", "refunds"):
                with self.subTest(f"{name} {kind}"):
                    answer = httpx.post(f"{URL}/api/callbacks/wechat-pay/{kind}", json=notice, headers=headers, trust_env=False)
                    self.assertEqual(answer.status_code, 401)
        self.assertEqual(self.patient.rest.get(path)["state"], "unpaid")

    def test_who_pays_twice_has_paid_once(self):
        consultation = order(self.patient, self.doctor)
        path = f"/api/orders/{consultation['order']['id']}"
        payment = self.patient.rest.post(f"{path}/payments", {"channel": "wechat"})
        press_again = self.patient.rest.pay_at_cashier(payment["cashier_url"])
        press_again()
        until(self.patient, consultation["id"], lambda it: it["state"] == "paid_waiting")
        paid = self.patient.rest.get(path)
        self.assertEqual((paid["state"], paid["amount_fen"], paid["refunds"]), ("paid", consultation["price_fen"], []))
        with self.assertRaises(Refused) as refused:
            self.patient.rest.post(f"{path}/payments", {"channel": "wechat"})
        self.assertEqual(refused.exception.code, "order_paid")

    def test_a_failed_payment_leaves_the_order_unpaid(self):
        consultation = order(self.patient, self.doctor)
        payment = self.patient.rest.post(f"/api/orders/{consultation['order']['id']}/payments", {"channel": "wechat"})
        self.patient.rest.pay_at_cashier(payment["cashier_url"], choice="fail")
        self.assertEqual(self.patient.rest.get(f"/api/orders/{consultation['order']['id']}")["state"], "unpaid")
        self.assertEqual(pay(self.patient, consultation)["state"], "paid_waiting")
