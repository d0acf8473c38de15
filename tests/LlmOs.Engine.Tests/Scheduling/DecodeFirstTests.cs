using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

public sealed class DecodeFirstTests
{
    [Fact]
    public void Nothing_to_do_is_an_empty_plan()
    {
        Assert.True(DecodeFirst.Plan(0, [], chunk: 64, turn: 0).IsEmpty);
    }

    [Fact]
    public void Running_sequences_decode_in_every_step_beside_one_chunk()
    {
        var plan = DecodeFirst.Plan(5, [new PromptCandidate(0, 200)], chunk: 64, turn: 0);

        Assert.Equal(new StepPlan(DecodeRows: 5, Prompt: 0, Start: 0, Count: 64, IsLast: false), plan);
    }

    [Fact]
    public void The_rest_of_a_prompt_is_its_last_chunk()
    {
        Assert.Equal(new StepPlan(0, 0, 192, 8, IsLast: true), DecodeFirst.Plan(0, [new PromptCandidate(192, 200)], chunk: 64, turn: 0));
        Assert.Equal(new StepPlan(0, 0, 64, 64, IsLast: true), DecodeFirst.Plan(0, [new PromptCandidate(64, 128)], chunk: 64, turn: 0));
    }

    [Fact]
    public void The_oldest_prompt_and_the_one_nearest_to_its_end_take_turns()
    {
        PromptCandidate[] prompts = [new(64, 8000), new(0, 300), new(128, 190)];

        Assert.Equal(0, DecodeFirst.Plan(0, prompts, chunk: 64, turn: 0).Prompt);
        Assert.Equal(2, DecodeFirst.Plan(0, prompts, chunk: 64, turn: 1).Prompt);
        Assert.Equal(0, DecodeFirst.Plan(0, prompts, chunk: 64, turn: 2).Prompt);
    }

    [Fact]
    public void Chunks_are_cut_at_the_same_places_whatever_else_runs()
    {
        var random = new Random(4);
        for (var round = 0; round < 200; round++)
        {
            var chunk = random.Next(1, 70);
            var prompts = Enumerable.Range(0, random.Next(1, 8)).Select(_ => new PromptCandidate(0, random.Next(1, 400))).ToArray();
            var turn = random.NextInt64(100);
            while (prompts.Length > 0)
            {
                var plan = DecodeFirst.Plan(random.Next(16), prompts, chunk, turn++);
                var (past, length) = prompts[plan.Prompt];

                Assert.Equal(past, plan.Start);
                Assert.Equal(0, plan.Start % chunk);
                Assert.Equal(Math.Min(chunk, length - past), plan.Count);
                Assert.Equal(past + plan.Count == length, plan.IsLast);
                prompts[plan.Prompt] = new PromptCandidate(past + plan.Count, length);
                prompts = [.. prompts.Where(p => p.Past < p.Length)];
            }
        }
    }
}
