"""The line that a search prints about how its trials are trained."""

import collections


def first_line(error):
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def tell(count, buckets, alone):
    """Prints which trials train together, which one by one, and why.

    Args:
        count: Integer, the number of trials.
        buckets: List of a list of trials for each architecture.
        alone: Dictionary of the other trials' ids and reasons.
    """
    together = sum(map(len, buckets))
    text = f"{count} trials: {together} are trained together"
    if together:
        text += f" ({len(buckets)} architectures)"
    reasons = collections.defaultdict(list)
    for trial_id, reason in alone.items():
        reasons[first_line(reason)].append(trial_id)
    for reason, names in reasons.items():
        text += f"; one by one {', '.join(names)}: {reason}"
    print(text)
