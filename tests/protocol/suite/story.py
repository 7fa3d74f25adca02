"""Steps of one story, run in the order in which they are written; after a failed one the rest is not tried."""
import unittest


class Story(unittest.TestCase):
    broken = None

    def setUp(self):
        if type(self).broken:
            self.fail(f"an earlier step failed: {type(self).broken}")

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before and not type(self).broken:
            type(self).broken = self._testMethodName
