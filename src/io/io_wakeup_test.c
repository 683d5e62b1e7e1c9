#include "io/io_wakeup.h"

#include "base/host.h"
#include "io/fake_net.h"
#include "io/test_folder.h"

#define READER_COUNT 20

static firn_error err = FIRN_ERROR_INIT;

// A task as a scan is one: submits, waits for its bytes without blocking, takes them.
typedef struct reader {
    task task;
    io_file *file;
    io_range range;
    io_ticket ticket;
    uint8_t byte;
    uint32_t wait_count;
    bool is_right;
    atomic_uint *left;
} reader;

static task_answer finish(reader *self) {
    io_ticket_close(&self->ticket);
    atomic_fetch_sub(self->left, 1);
    return TASK_DONE;
}

static task_answer read_one(task *base) {
    reader *self = (reader *)(void *)base; // The task is its first member.
    firn_error problem = ERR_INIT;
    if (self->ticket.file == NULL) {
        const io_request request = {.waker = io_waker_of(&self->task.wakeup)};
        if (io_submit(self->file, &self->range, 1, &request, &self->ticket, &problem) != FIRN_OK) {
            return finish(self);
        }
    }
    io_answer answer;
    if (io_collect(&self->ticket, 0, &answer, &problem) != FIRN_OK) {
        return finish(self);
    }
    if (answer == IO_WAIT) {
        self->wait_count += 1;
        return TASK_WAIT;
    }
    self->is_right = self->byte == (uint8_t)self->range.offset;
    return finish(self);
}

static bool none_is_left(void *user) {
    return atomic_load((const atomic_uint *)user) == 0;
}

TEST(io_wakeup_lets_tasks_wait_for_far_bytes_with_and_without_threads) {
    static uint8_t content[256];
    for (int i = 0; i < 256; i++) {
        content[i] = (uint8_t)i;
    }
    for (uint32_t threads = 1; threads <= 2; threads++) {
        fake_object object = {.content = {.data = content, .size = sizeof content}, .pause_ms = 1};
        fake_net net;
        fake_net_begin(&net, fake_object_script, &object);
        fake_net_gather(&net, READER_COUNT, 20000);
        io *files;
        scheduler *workers;
        task_group *group;
        io_file *file;
        const io_options options = {.has_thread = threads > 1, .net = fake_net_module()};
        REQUIRE(io_open(&options, &files, &err) == FIRN_OK);
        const scheduler_options how = {
            .threads = threads, .idle = threads > 1 ? NULL : io_idle, .user = files};
        REQUIRE(scheduler_open(&how, &workers, &err) == FIRN_OK);
        REQUIRE(task_group_open(workers, &group, &err) == FIRN_OK);
        REQUIRE(io_file_open(files, TEXT("http://h/x"), &(io_open_options){0}, &file, &err) ==
                FIRN_OK);
        static reader readers[READER_COUNT];
        atomic_uint left = READER_COUNT;
        for (uint32_t i = 0; i < READER_COUNT; i++) {
            readers[i] = (reader){.task = {.run = read_one},
                                  .file = file,
                                  .range = {.offset = i, .size = 1, .into = &readers[i].byte},
                                  .left = &left};
            task_group_submit(group, &readers[i].task, true);
        }
        task_group_run_until(group, none_is_left, &left);
        // They wait together, not one after the other.
        CHECK(net.moving_count_max == READER_COUNT);
        CHECK(threads > 1 || host_thread_count() == 0);
        uint32_t waited = 0;
        for (uint32_t i = 0; i < READER_COUNT; i++) {
            CHECK(readers[i].is_right);
            CHECK(readers[i].wait_count < 10); // Woken, not asking again and again.
            waited += readers[i].wait_count > 0;
        }
        CHECK(waited + threads >= READER_COUNT); // The last ones may find their byte there.
        task_group_close(group);
        scheduler_close(workers);
        io_file_release(file);
        io_close(files);
        fake_net_end(&net);
    }
}
