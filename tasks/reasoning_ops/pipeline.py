"""Records as a tf.data pipeline."""

import numpy as np

# Records read at once. A block is what `shuffle_files` shuffles.
BLOCK = 1024


def build(records, info, batch_size, shuffle_files, read_config, as_supervised):
    """Returns a `tf.data.Dataset`, made block by block rather than by record.

    Args:
        records: A `tasks.reasoning_ops.records.Records`.
        info: A `tfds.core.DatasetInfo`.
        batch_size: Positive integer; None for single records; -1 for the
            tensors of all records instead of a data set.
        shuffle_files: Boolean, whether to shuffle the blocks.
        read_config: A `tfds.ReadConfig`, of which those about files and
            decoding have no meaning here.
        as_supervised: Boolean, `((a, b), label)` instead of a dictionary.
    """
    import tensorflow as tf  # only who wants a pipeline needs it

    names = list(info.features)
    shapes = {name: info.features[name].shape for name in names}

    def structure(values):
        batch = dict(zip(names, values, strict=True))
        if as_supervised:
            return (batch["a"], batch["b"]), batch["label"]
        return batch

    count = len(records)
    if batch_size == -1:
        batch = records.read(range(count))
        return structure([tf.convert_to_tensor(batch[name]) for name in names])

    size = BLOCK
    if batch_size is not None:
        size = batch_size * max(1, BLOCK // batch_size)

    def read(start):
        batch = records.read(np.arange(start, min(start + size, count)))
        return [batch[name] for name in names]

    def read_block(start):
        values = tf.numpy_function(
            read, [start], [tf.float32] * len(names), stateful=False
        )
        for name, value in zip(names, values, strict=True):
            value.set_shape((None, *shapes[name]))
        return structure(values)

    dataset = tf.data.Dataset.range(0, count, size)
    context = read_config.input_context
    if context is not None:
        dataset = dataset.shard(
            context.num_input_pipelines, context.input_pipeline_id
        )
    if shuffle_files:
        dataset = dataset.shuffle(
            max(1, len(dataset)),
            seed=read_config.shuffle_seed,
            reshuffle_each_iteration=(
                read_config.shuffle_reshuffle_each_iteration
            ),
        )
    dataset = dataset.map(read_block, num_parallel_calls=tf.data.AUTOTUNE)
    total = -(-count // (batch_size or 1))
    if batch_size and (size != batch_size or shuffle_files):
        dataset = dataset.rebatch(batch_size)  # a short block may be inside
    if not read_config.skip_prefetch:
        # Before single records: to hand each over would take the time of ten.
        dataset = dataset.prefetch(tf.data.AUTOTUNE)
    if batch_size is None:
        dataset = dataset.unbatch()
    if context is None:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(total))
    return dataset.with_options(read_config.options)
