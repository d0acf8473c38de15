using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace LlmOs.Server.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Rooms : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "arguments",
                table: "jobs",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "code",
                table: "jobs",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "spec_sha256",
                table: "jobs",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "subject",
                table: "jobs",
                type: "character varying(512)",
                maxLength: 512,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "arguments",
                table: "job_logs",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "code",
                table: "job_logs",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "arguments",
                table: "job_events",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "code",
                table: "job_events",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "eta_seconds",
                table: "job_events",
                type: "double precision",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "usage_records",
                columns: table => new
                {
                    seq = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    id = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    day = table.Column<string>(type: "character varying(10)", maxLength: 10, nullable: false),
                    operation = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    model = table.Column<string>(type: "character varying(320)", maxLength: 320, nullable: false),
                    prompt_tokens = table.Column<long>(type: "bigint", nullable: false),
                    cached_tokens = table.Column<long>(type: "bigint", nullable: false),
                    generated_tokens = table.Column<long>(type: "bigint", nullable: false),
                    queue_ms = table.Column<double>(type: "double precision", nullable: false),
                    prompt_ms = table.Column<double>(type: "double precision", nullable: false),
                    decode_ms = table.Column<double>(type: "double precision", nullable: false),
                    load_ms = table.Column<double>(type: "double precision", nullable: false),
                    key_id = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: true),
                    user_id = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: true),
                    app = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: true),
                    job_id = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_usage_records", x => x.seq);
                });

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_created_at",
                table: "usage_records",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_id",
                table: "usage_records",
                column: "id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_key_id_seq",
                table: "usage_records",
                columns: new[] { "key_id", "seq" });

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_user_id_seq",
                table: "usage_records",
                columns: new[] { "user_id", "seq" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "usage_records");

            migrationBuilder.DropColumn(
                name: "arguments",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "code",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "spec_sha256",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "subject",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "arguments",
                table: "job_logs");

            migrationBuilder.DropColumn(
                name: "code",
                table: "job_logs");

            migrationBuilder.DropColumn(
                name: "arguments",
                table: "job_events");

            migrationBuilder.DropColumn(
                name: "code",
                table: "job_events");

            migrationBuilder.DropColumn(
                name: "eta_seconds",
                table: "job_events");
        }
    }
}
