/*
** A command line split into words as a POSIX shell does it, without anything
** that a shell does beyond that: no variables, no globs, no operators.
** The rules are those of Python's shlex.split(s), which botocore uses for
** credential_process: whitespace separates; '...' keeps everything; "..."
** keeps everything but a backslash before " or \; elsewhere a backslash keeps
** the next character.
*/
#ifndef ar_words_h
#define ar_words_h

#include "buf.h"

AR_HIDDEN

#define AR_MAX_WORDS 64

struct ar_words {
  struct ar_buf text;           /* the words, a NUL after each */
  char *list[AR_MAX_WORDS + 1]; /* into `text`, NULL after the last */
  size_t count;
};

void ar_words_init(struct ar_words *w);
void ar_words_free(struct ar_words *w);

/*
** Splits `line`. AR_OK; AR_E_BAD_CONFIG for an open quotation, a backslash at
** the end ("No closing quotation", "No escaped character"), a NUL byte, no
** word at all, or too many; AR_E_MEMORY. After an error there are no words.
*/
int ar_words_split(struct ar_words *w, struct ar_str line, struct ar_err *err);

AR_HIDDEN_END

#endif
