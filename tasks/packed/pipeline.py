"""Records as a tf.data pipeline."""

import numpy as np

# Records read at once. A block is what `shuffle_files` shuffles.
BLOCK = 1024


def build(records, info, batch_size, shuffle_files, read_config, as_supervised):
    """Returns a `tf.data.Dataset`, made block by block rather than by record.

    Args:
        records: A `tasks.packed.records.Records`.
        info: A `tfds.core.DatasetInfo`.
        batch_size: Positive integer; None for single records; -1 for the
            tensors of all records instead of a data set.
        shuffle_files: Boolean, whether to shuffle the blocks.
        read_config: A `tfds.ReadConfig`. Those of its options that are about
            files and decoding are not used.
        as_supervised: Boolean, whether to give what the info's supervised keys
            name instead of a dictionary.
    """
    import tensorflow as tf  # nothing else needs it

    structure = {name: name for name in info.features}
    if as_supervised:
        structure = info.supervised_keys
    names = tf.nest.flatten(structure)
    features = [info.features[name] for name in names]
    dtypes = [tf.as_dtype(feature.np_dtype) for feature in features]

    def read(start, stop):
        batch = records.read(slice(start, stop))
        return [
            np.asarray(batch[name], feature.np_dtype)
            for name, feature in zip(names, features, strict=True)
        ]

    count = len(records)
    if batch_size == -1:
        tensors = [tf.convert_to_tensor(each) for each in read(0, count)]
        return tf.nest.pack_sequence_as(structure, tensors)

    size = BLOCK
    if batch_size is not None:
        size = batch_size * max(1, BLOCK // batch_size)

    def read_block(start):
        stop = tf.minimum(start + size, count)
        tensors = tf.numpy_function(read, [start, stop], dtypes, stateful=False)
        for tensor, feature in zip(tensors, features, strict=True):
            tensor.set_shape((None, *feature.shape))
        return tf.nest.pack_sequence_as(structure, tensors)

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
