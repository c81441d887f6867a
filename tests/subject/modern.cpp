// SPDX-License-Identifier: Apache-2.0
//
// modern: what C++20 waits in, which are futexes of its own: std::future, std::atomic::wait, std::latch,
// std::counting_semaphore, and the guard of a local static. The producer announces its item before the item is there.
// With an argument it does so after.
#include <atomic>
#include <cstdlib>
#include <future>
#include <latch>
#include <semaphore>
#include <thread>

static std::atomic<int> item{0};
static std::atomic<int> announced{0};
static std::counting_semaphore<4> tokens{0};
static std::latch started{2};

struct Settings {
    int factor;
    Settings() : factor(item.load() >= 0 ? 2 : 0)
    {
    }
};

static int factor()
{
    static Settings settings;
    return settings.factor;
}

static int consume()
{
    started.arrive_and_wait();
    announced.wait(0);
    tokens.acquire();
    return item.load() * factor();
}

static void produce(bool corrected)
{
    started.arrive_and_wait();
    if (corrected) {
        item.store(21);
    }
    announced.store(1);
    announced.notify_all();
    tokens.release();
    if (!corrected) {
        item.store(21);
    }
    factor();
}

int main(int argc, char **)
{
    std::future<int> result = std::async(std::launch::async, consume);
    std::thread producer(produce, argc > 1);
    int value = result.get();
    producer.join();
    if (value != 42) {
        std::exit(6);
    }
    return 0;
}
