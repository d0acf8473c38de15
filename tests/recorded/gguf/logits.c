// Prints the logits that llama.cpp gives for a text, one line a token: logits MODEL.gguf ID [ID...]
#include <stdio.h>
#include <stdlib.h>
#include "llama.h"

static void quiet(enum ggml_log_level level, const char * text, void * data) {
    (void) data;
    if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int main(int argc, char ** argv) {
    llama_log_set(quiet, NULL);
    ggml_backend_load_all_from_path(getenv("LLAMA_BACKENDS"));
    struct llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model) return 1;
    struct llama_context_params settings = llama_context_default_params();
    settings.n_ctx = 64;
    settings.n_threads = settings.n_threads_batch = 1;
    settings.type_k = settings.type_v = GGML_TYPE_F32;
    settings.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    struct llama_context * context = llama_init_from_model(model, settings);
    if (!context) return 1;
    int count = argc - 2, width = llama_vocab_n_tokens(llama_model_get_vocab(model));
    struct llama_batch batch = llama_batch_init(count, 0, 1);
    batch.n_tokens = count;
    for (int i = 0; i < count; i++) {
        batch.token[i] = atoi(argv[i + 2]);
        batch.pos[i] = i;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = 1;
    }
    if (llama_decode(context, batch)) return 1;
    for (int i = 0; i < count; i++) {
        float * row = llama_get_logits_ith(context, i);
        for (int j = 0; j < width; j++) printf(j + 1 < width ? "%.8g " : "%.8g\n", row[j]);
    }
    return 0;
}
