using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace LlmOs.Server.Migrations.Postgres
{
    /// <summary>Gives jobs from before there was a subject the one that their kind would give them. A specification that spells out U+0000 or
    /// half a character is passed over: this database cannot read it as JSON, and its job keeps no subject.</summary>
    public partial class JobSubjects : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                update jobs
                set subject = left(spec::json ->> case kind when 'evaluation' then 'model' else 'name' end, 512)
                where subject is null and kind in ('import', 'training', 'tokenizer', 'evaluation') and spec like '{%'
                  and position('\u0000' in spec) = 0 and position('\ud' in lower(spec)) = 0
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
        }
    }
}
