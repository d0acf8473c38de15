using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace LlmOs.Server.Migrations.Sqlite
{
    /// <summary>Gives jobs from before there was a subject the one that their kind would give them.</summary>
    public partial class JobSubjects : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                update jobs
                set subject = substr(json_extract(spec, case kind when 'evaluation' then '$.model' else '$.name' end), 1, 512)
                where subject is null and kind in ('import', 'training', 'tokenizer', 'evaluation') and json_valid(spec)
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
        }
    }
}
