"""A tokenizer from a corpus: byte-level pairs for prompts, one token for each phrase that a policy may write.

With a phrase as one token an answer is as many choices as it has phrases, and none is lost half-way through.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

END, PAD, GAP = "<|end|>", "<|pad|>", "<|gap|>"
"""End of text, filler, and what stands for words that were taken out."""


def fit_tokenizer(
    texts: Iterable[str], phrases: Sequence[str], size: int, marks: Sequence[str] = ()
) -> PreTrainedTokenizerFast:
    """Byte-level BPE of `size` entries over lower-cased texts, plus the phrases as whole tokens.

    `marks` are tokens of their own that say something about the text that follows.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END, PAD, *marks],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(phrase, single_word=True, lstrip=True) for phrase in phrases])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False
    )
