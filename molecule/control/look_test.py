"""Looks at the pages of etcd_report in headless Chromium. KEEP=DIRECTORY leaves the pictures there, for eyes."""
import datetime
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from PIL import Image, ImageChops

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARGIN = 6  # columns at the right of a page that nothing is drawn on
HEIGHT = 15000  # of a window that has the whole page
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking"]


def hosts(name):
    return [f"{name}-{number}.example.com" for number in range(5)]


def arguments(directory, state, masters, text):
    """A run on five hosts; text stands wherever a host can say something."""
    return {
        "directory": directory, "playbook": "restore_quorum.yml", "state": state, "ansible": "2.9.27",
        "plan": {
            "do": {"run": "5d41402abc4b2a76", "id": "77958252eebe", "action": "force", "survivor": masters[0]},
            "report": {
                "reason": "no quorum: 1 of 5 members have usable data, 3 are needed", "cluster_id": "f82862b472c201ec",
                "hosts": {host: {"member_id": "4419bcd59e43fea6", "reachable": True, "data": "usable", "outcome": text} for host in masters},
                "members": [{"id": "4419bcd59e43fea6", "name": host, "peer_urls": [f"https://{host}:2380"]} for host in masters],
                "given_up": [text],
                "undo": [f"ansible {masters[0]} -m etcd_fence -a 'state=absent keep_data=yes'"],
                "afterwards": [f"power on {host}" for host in masters[1:]],
                "lines": ["etcd: QUORUM LOST", text]}},
        "acts": [{"what": what, "hosts": masters, "results": [{"changed": True, "msg": text, "diff": [
            {"before": "A=1\n", "after": text + "\n", "after_header": "/etc/etcd/etcd.conf"}]}] * len(masters)} for what in ("the fence", "the file")],
        "done": [text] if state == "ended" else [],
        "backups": [{"method": "copy", "path": "/backup/etcd-1/copy", "bytes": 80845824, "sha256": "9f86d081" * 8, "revision": 92, "verified": True}],
        "members": [{"id": "8e9e05c52164694d", "name": masters[0], "peer_urls": [f"https://{masters[0]}:2380"]}] if state == "ended" else []}


def refusal(directory):
    return {"directory": directory, "playbook": "restore_quorum.yml", "state": "planned", "plan": {
        "do": {"run": "5d41402abc4b2a77", "action": "refuse"},
        "report": {"reason": "none of the hosts can be reached", "refusals": [{"code": "x", "msg": "none can be reached", "hint": "power them on"}]}}}


class Look(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.work)
        endless = "x" * 120
        cls.pages = {
            "restore": cls.page("restore", arguments(cls.work + "/a", "ended", hosts("master"), "etcd is stopped and fenced on this host")),
            "stopped": cls.page("stopped", arguments(cls.work + "/b", "going", hosts("master"), "etcd is stopped and fenced on this host")),
            "endless": cls.page("endless", arguments(cls.work + "/c", "ended", hosts("m" * 60 + "." + "n" * 60), endless)),
            "refused": cls.page("refused", refusal(cls.work + "/d"))}

    @classmethod
    def page(cls, name, args):
        """The page of a run that was planned ten minutes before."""
        if args["state"] != "planned":
            path = cls.written(name, dict(args, state="planned", acts=[]))[1]
            with open(path, encoding="utf-8") as handle:
                old = json.load(handle)
            planned = datetime.datetime.fromisoformat(old["planned_at"].replace("Z", "+00:00")) - datetime.timedelta(minutes=10)
            with open(path, "w", encoding="utf-8") as handle:
                json.dump(dict(old, planned_at=planned.strftime("%Y-%m-%dT%H:%M:%SZ")), handle)
        return cls.written(name, args)[0]

    @classmethod
    def written(cls, name, args):
        """The page and the JSON that etcd_report makes."""
        path = os.path.join(cls.work, name + ".args")
        with open(path, "w", encoding="utf-8") as handle:
            json.dump(args, handle)
        run = subprocess.run([os.path.join(ROOT, "library", "bin", "etcd_report"), path], capture_output=True, text=True, check=False, timeout=60)
        answer = json.loads(run.stdout)
        if run.returncode:
            raise AssertionError(answer["msg"])
        return answer["page"], answer["path"]

    def browse(self, *options):
        subprocess.run([*CHROMIUM, f"--user-data-dir={self.work}/profile", *options], capture_output=True, check=True, timeout=120)

    def picture(self, page, width, *options):
        path = os.path.join(os.environ.get("KEEP", self.work), f"{os.path.basename(os.path.dirname(page))}-{width}{''.join(options)[-4:]}.png")
        self.browse(f"--window-size={width},{HEIGHT}", f"--screenshot={path}", *options, "file://" + page)
        return Image.open(path).convert("RGB")

    @staticmethod
    def drawn(image):
        """The box of all that is not background, which the top left corner is."""
        return ImageChops.difference(image, Image.new("RGB", image.size, image.getpixel((0, 0)))).getbbox()

    def check(self, image, least):
        box = self.drawn(image)
        self.assertIsNotNone(box, "the page is empty")
        self.assertLessEqual(box[2], image.width - MARGIN, "something is wider than the window")
        self.assertGreaterEqual(box[3], least, "hardly anything is on the page")
        self.assertLess(box[3], image.height - 20, "the page is longer than the picture: raise HEIGHT")

    def test_each_page_fits_its_window(self):
        for name, page in self.pages.items():
            for width in (1280, 500):
                with self.subTest(page=name, width=width):
                    image = self.picture(page, width)
                    self.check(image, 400 if name == "refused" else 1500)
                    self.assertEqual(image.getpixel((0, 0)), (255, 255, 255))

    def test_dark(self):
        image = self.picture(self.pages["restore"], 1280, "--blink-settings=preferredColorScheme=0")
        self.check(image, 1500)
        self.assertLess(max(image.getpixel((0, 0))), 40)
        self.assertGreater(max(high for low, high in image.getextrema()), 200, "dark text on a dark page")

    def test_the_bars_are_drawn(self):
        image = self.picture(self.pages["restore"], 1280)
        self.assertTrue(any(color == (9, 105, 218) for count, color in image.getcolors(1 << 24)))

    def test_paper(self):
        path = os.path.join(self.work, "page.pdf")
        self.browse("--blink-settings=preferredColorScheme=0", "--no-pdf-header-footer", f"--print-to-pdf={path}", "file://" + self.pages["restore"])
        subprocess.run(["pdftoppm", "-r", "50", path, os.path.join(self.work, "paper")], check=True, timeout=60)
        sheets = sorted(name for name in os.listdir(self.work) if name.startswith("paper"))
        self.assertIn(len(sheets), range(2, 12))
        for name in sheets:
            image = Image.open(os.path.join(self.work, name)).convert("RGB")
            self.assertEqual(image.getpixel((0, 0)), (255, 255, 255), "ink on the whole sheet")
            box = self.drawn(image)
            self.assertIsNotNone(box, f"{name} is empty")
            self.assertLessEqual(box[2], image.width - MARGIN)

    def test_an_empty_page_is_seen(self):
        os.makedirs(os.path.join(self.work, "empty"))
        path = os.path.join(self.work, "empty", "page.html")
        with open(path, "w", encoding="utf-8") as handle:
            handle.write("<!doctype html><title>nothing</title>")
        with self.assertRaisesRegex(AssertionError, "the page is empty"):
            self.check(self.picture(path, 1280), 400)

    def test_what_is_too_wide_is_seen(self):
        with open(self.pages["endless"], encoding="utf-8") as handle:
            text = handle.read()
        os.makedirs(os.path.join(self.work, "wide"))
        path = os.path.join(self.work, "wide", "page.html")
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(text.replace("overflow-wrap: anywhere", "").replace("white-space: pre-wrap", ""))
        self.assertGreater(self.drawn(self.picture(path, 1280))[2], 1280 - MARGIN)


if __name__ == "__main__":
    unittest.main()
