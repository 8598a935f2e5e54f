"""Pictures of letters, and names that are theirs or a letter's next to it."""

from tasks.named_letters.letters import ATTRIBUTES as ATTRIBUTES
from tasks.named_letters.letters import FONTS as FONTS
from tasks.named_letters.letters import vocabulary as vocabulary
from tasks.named_letters.loading import load as load
from tasks.named_letters.settings import LetterSettings as LetterSettings
