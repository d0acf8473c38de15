using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace LlmOs.Server.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class JobsWhole : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_jobs_state_priority_seq",
                table: "jobs");

            migrationBuilder.AddColumn<int>(
                name: "failures",
                table: "jobs",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<double>(
                name: "headway",
                table: "jobs",
                type: "REAL",
                nullable: false,
                defaultValue: 0.0);

            migrationBuilder.AddColumn<long>(
                name: "run_after",
                table: "jobs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "job_dependencies",
                columns: table => new
                {
                    job_seq = table.Column<long>(type: "INTEGER", nullable: false),
                    after_id = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_dependencies", x => new { x.job_seq, x.after_id });
                    table.ForeignKey(
                        name: "fk_job_dependencies_jobs_job_seq",
                        column: x => x.job_seq,
                        principalTable: "jobs",
                        principalColumn: "seq",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "job_logs",
                columns: table => new
                {
                    seq = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    job_id = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    level = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    text = table.Column<string>(type: "TEXT", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_logs", x => x.seq);
                });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_state_priority_seq",
                table: "jobs",
                columns: new[] { "state", "priority", "seq" },
                descending: new[] { false, true, false });

            migrationBuilder.CreateIndex(
                name: "ix_job_dependencies_after_id",
                table: "job_dependencies",
                column: "after_id");

            migrationBuilder.CreateIndex(
                name: "ix_job_logs_job_id_seq",
                table: "job_logs",
                columns: new[] { "job_id", "seq" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "job_dependencies");

            migrationBuilder.DropTable(
                name: "job_logs");

            migrationBuilder.DropIndex(
                name: "ix_jobs_state_priority_seq",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "failures",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "headway",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "run_after",
                table: "jobs");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_state_priority_seq",
                table: "jobs",
                columns: new[] { "state", "priority", "seq" });
        }
    }
}
