"""Makes the study that ships with the package. Run: python tools/make_demo_study.py"""

from pathlib import Path

from incongruent.cli import commands as cli

FOLDER = Path(__file__).parents[1] / "src" / "incongruent" / "demo"

if __name__ == "__main__":
    cli.simulate(
        FOLDER / "study.csv",
        FOLDER / "truth.csv",
        people=30,
        trials=240,
        congruent=0.5,
        prior="schaefer2025",
        seed=20,
    )
